"""How many documents a claim needs, and what is said where a study has fewer."""


def too_few(claim: str, n: int, needed: int, of: str) -> str:
    """Return in one line that a study has too few documents and what can be done; empty where it has enough.

    Args:
        claim: such as 'C3'.
        n: independent documents that the study has.
        needed: by the claim.
        of: which documents, such as 'of squad'.
    """
    if n >= needed:
        return ""
    return (
        f"{claim} needs {needed} documents {of} and this study has {n}; choose more texts per data set, or a data set "
        "with more documents"
    )
