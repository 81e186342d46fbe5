"""Writes STDF records, by the specification's tables and not by the reader's, for tests."""

import struct

START = 1_704_096_000  # 2024-01-01 08:00 on the tester's clock


def cn(text: str | bytes) -> bytes:
    data = text if isinstance(text, bytes) else text.encode()
    return bytes([len(data)]) + data


class Stdf:
    """Records in one byte order, `<` or `>`; `content` is the file so far."""

    def __init__(self, order: str = "<"):
        self.order = order
        self.content = b""
        self.add(0, 10, bytes([2 if order == "<" else 1, 4]))

    def pack(self, codes: str, *values) -> bytes:
        return struct.pack(self.order + codes, *values)

    def add(self, kind: int, subtype: int, content: bytes) -> "Stdf":
        self.content += self.pack("HBB", len(content), kind, subtype) + content
        return self

    def mir(self, start: int = START, mode: str = "P", **texts: str) -> "Stdf":
        known = {"lot": "L1", "part": "CHIP", "node": "T7", "tester": "J750", "job": "chip_ft", "rev": "1.2"}
        texts = known | {"sublot": "", "operator": "op", "exec": "", "version": "", "step": "FT1"} | texts
        content = self.pack("IIB", 0, start, 1) + mode.encode() + b"  " + self.pack("H", 65535) + b" "
        return self.add(1, 10, content + b"".join(cn(text) for text in texts.values()))

    def sdr(self, sites: list[int], card: str = "", load: str = "") -> "Stdf":
        texts = ["", "", "", card, "", load]
        return self.add(1, 80, bytes([1, 1, len(sites), *sites]) + b"".join(map(cn, texts)))

    def wir(self, wafer: str, start: int = START) -> "Stdf":
        return self.add(2, 10, self.pack("BBI", 1, 255, start) + cn(wafer))

    def wrr(self) -> "Stdf":
        return self.add(2, 20, self.pack("BBII", 1, 255, START, 0))

    def pir(self, site: int = 1, head: int = 1) -> "Stdf":
        return self.add(5, 10, bytes([head, site]))

    def ptr(
        self, number: int, value: float, text: str = "", *, site: int = 1, head: int = 1, flags: int = 0, parm: int = 0,
        optional: tuple = (), rest: bytes = b"",
    ) -> "Stdf":  # fmt: skip
        """`optional`: OPT_FLAG, RES_SCAL, LLM_SCAL, HLM_SCAL, LO_LIMIT, HI_LIMIT, UNITS, or the first of them."""
        content = self.pack("IBBBBf", number, head, site, flags, parm, value)
        if text or optional:
            content += cn(text)
        if optional:
            content += cn("")
        for code, part in zip("BbbbffC", optional, strict=False):
            content += cn(part) if code == "C" else self.pack(code, part)
        return self.add(15, 10, content + rest)

    def mpr(self, number: int, values: list[float], indexes: list[int] = (), *, text: str = "", flags: int = 0):
        content = self.pack("IBBBBHH", number, 1, 1, flags, 0, len(indexes), len(values))
        content += b"\x11" * ((len(indexes) + 1) // 2) + self.pack(f"{len(values)}f", *values) + cn(text) + cn("")
        content += self.pack("BbbbffffB"[:-1], 0x02, 0, 0, 0, -1.0, 1.0, 0.0, 0.0)
        content += self.pack(f"{len(indexes)}H", *indexes) + cn("A")
        return self.add(15, 15, content)

    def ftr(self, number: int, flags: int = 0, site: int = 1) -> "Stdf":
        return self.add(15, 20, self.pack("IBBBB", number, 1, site, flags, 0))

    def prr(
        self, part: str = "", *, site: int = 1, head: int = 1, flags: int = 0, hard: int = 1, soft: int = 1,
        x: int = -32768, y: int = -32768, millis: int = 1500, text: str = "",
    ) -> "Stdf":  # fmt: skip
        content = self.pack("BBBHHHhhI", head, site, flags, 3, hard, soft, x, y, millis)
        return self.add(5, 20, content + cn(part) + cn(text))

    def pcr(self, parts: int, good: int = 0xFFFFFFFF, *, head: int = 255, site: int = 0) -> "Stdf":
        return self.add(1, 30, self.pack("BBIIII", head, site, parts, 0xFFFFFFFF, 0xFFFFFFFF, good))

    def hbr(self, number: int, count: int, *, head: int = 255, site: int = 0, subtype: int = 40) -> "Stdf":
        return self.add(1, subtype, self.pack("BBHI", head, site, number, count) + b"P" + cn("good"))

    def sbr(self, number: int, count: int) -> "Stdf":
        return self.hbr(number, count, subtype=50)

    def mrr(self) -> bytes:
        """The end of the file: its content."""
        return self.add(1, 20, self.pack("I", START + 60)).content
