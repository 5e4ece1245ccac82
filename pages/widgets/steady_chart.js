// A Plotly chart that stays in the page while its figure changes, so that its zoom, its hidden layers and what WebGL
// has set up stay too. Plotly comes from this server, once per visit.

let plotly

function loadPlotly(path) {
  plotly ??= new Promise((resolve, reject) => {
    // Streamlit's own script says where the server is, also behind a proxy that gives it another path.
    const own = document.querySelector('script[src*="/static/js/"]').src
    const script = document.createElement("script")
    script.src = own.slice(0, own.lastIndexOf("/static/js/") + 1) + path
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => {
      plotly = undefined // the next figure tries again
      reject(new Error(`The chart's code did not come from ${script.src}. Reload the page.`))
    }
    document.head.append(script)
  })
  return plotly
}

// Plotly's template with the colours and the font of the page, which change with its theme.
function pageTemplate(place) {
  const look = getComputedStyle(place)
  const read = name => look.getPropertyValue(`--st-${name}`).trim()
  const font = { family: read("font"), color: read("text-color"), size: 12 }
  const axis = { automargin: true, ticks: "", title: { font: { size: 14 }, standoff: 10 } }
  return { layout: {
    font,
    xaxis: axis,
    yaxis: axis,
    hoverlabel: { bgcolor: read("background-color"), bordercolor: read("border-color"), font: { size: 12 } },
  } }
}

const FULL_SCREEN = {
  name: "full-screen",
  title: "Full screen",
  icon: { width: 24, height: 24, path: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z" },
  click: chart => document.fullscreenElement ? document.exitFullscreen() : chart.requestFullscreen(),
}

function sizeToPlace(chart, height) {
  const full = document.fullscreenElement === chart
  window.Plotly.relayout(chart, { height: full ? window.innerHeight : height, autosize: true })
}

export default function ({ data, parentElement }) {
  const chart = parentElement.querySelector(".steady-chart")
  const { figure, config, alt, plotly: path } = JSON.parse(new TextDecoder().decode(data))
  const height = figure.layout.height
  chart.setAttribute("aria-label", alt)
  if (document.fullscreenElement === chart) figure.layout.height = window.innerHeight
  figure.layout.template = pageTemplate(chart)
  figure.config = { ...config, responsive: true, modeBarButtonsToAdd: [FULL_SCREEN] }
  const drawn = loadPlotly(path).then(Plotly => {
    if (!chart.data) chart.replaceChildren() // what an earlier figure failed with
    return Plotly.react(chart, figure)
  })
  drawn.catch(error => { chart.textContent = error.message })
  chart.onfullscreenchange = () => sizeToPlace(chart, height)
  return () => drawn.then(() => window.Plotly.purge(chart), () => {}) // Streamlit calls this when the chart goes
}
