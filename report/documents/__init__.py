"""The documents of a role, in the order in which a reader finds them."""

from report.document import Document
from report.documents import anomalies, oee, shifts, spc, yields

DOCUMENTS: tuple[Document, ...] = (
    yields.DOCUMENT,
    oee.DOCUMENT,
    shifts.DOCUMENT,
    anomalies.DOCUMENT,
    spc.DOCUMENT,
)
