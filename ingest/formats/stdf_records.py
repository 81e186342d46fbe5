"""Records of STDF, the binary layer: *Standard Test Data Format Specification, Version 4* (Teradyne).

A record is a header (length, type, subtype) and fields in the order of its layout. Trailing fields may be left out; a
field that is cut in its middle, or a file that ends within a record, is not STDF. Bytes are in the order of the FAR.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from ingest.source import Unreadable

CHUNK = 1 << 20
LONGEST = 4 + 0xFFFF

MIR, MRR, PCR, HBR, SBR, SDR = (1, 10), (1, 20), (1, 30), (1, 40), (1, 50), (1, 80)
WIR, WRR, PIR, PRR, PTR, MPR, FTR = (2, 10), (2, 20), (5, 10), (5, 20), (15, 10), (15, 15), (15, 20)

BIN = "HEAD_NUM:U1 SITE_NUM:U1 BIN_NUM:U2 BIN_CNT:U4 BIN_PF:C1 BIN_NAM:Cn"
LIMITS = "OPT_FLAG:B1 RES_SCAL:I1 LLM_SCAL:I1 HLM_SCAL:I1 LO_LIMIT:R4 HI_LIMIT:R4"
FORMATS = "C_RESFMT:Cn C_LLMFMT:Cn C_HLMFMT:Cn LO_SPEC:R4 HI_SPEC:R4"
LAYOUTS = {
    kind: tuple(tuple(field.split(":")) for field in layout.split())
    for kind, layout in {
        MIR: "SETUP_T:U4 START_T:U4 STAT_NUM:U1 MODE_COD:C1 RTST_COD:C1 PROT_COD:C1 BURN_TIM:U2 CMOD_COD:C1 LOT_ID:Cn "
        "PART_TYP:Cn NODE_NAM:Cn TSTR_TYP:Cn JOB_NAM:Cn JOB_REV:Cn SBLOT_ID:Cn OPER_NAM:Cn EXEC_TYP:Cn EXEC_VER:Cn "
        "TEST_COD:Cn TST_TEMP:Cn USER_TXT:Cn AUX_FILE:Cn PKG_TYP:Cn FAMLY_ID:Cn DATE_COD:Cn FACIL_ID:Cn FLOOR_ID:Cn "
        "PROC_ID:Cn OPER_FRQ:Cn SPEC_NAM:Cn SPEC_VER:Cn FLOW_ID:Cn SETUP_ID:Cn DSGN_REV:Cn ENG_ID:Cn ROM_COD:Cn "
        "SERL_NUM:Cn SUPR_NAM:Cn",
        PCR: "HEAD_NUM:U1 SITE_NUM:U1 PART_CNT:U4 RTST_CNT:U4 ABRT_CNT:U4 GOOD_CNT:U4 FUNC_CNT:U4",
        HBR: BIN,
        SBR: BIN,
        SDR: "HEAD_NUM:U1 SITE_GRP:U1 SITE_CNT:U1 SITE_NUM:SITE_CNT*U1 HAND_TYP:Cn HAND_ID:Cn CARD_TYP:Cn CARD_ID:Cn "
        "LOAD_TYP:Cn LOAD_ID:Cn DIB_TYP:Cn DIB_ID:Cn CABL_TYP:Cn CABL_ID:Cn CONT_TYP:Cn CONT_ID:Cn LASR_TYP:Cn "
        "LASR_ID:Cn EXTR_TYP:Cn EXTR_ID:Cn",
        WIR: "HEAD_NUM:U1 SITE_GRP:U1 START_T:U4 WAFER_ID:Cn",
        WRR: "HEAD_NUM:U1 SITE_GRP:U1",
        PIR: "HEAD_NUM:U1 SITE_NUM:U1",
        PRR: "HEAD_NUM:U1 SITE_NUM:U1 PART_FLG:B1 NUM_TEST:U2 HARD_BIN:U2 SOFT_BIN:U2 X_COORD:I2 Y_COORD:I2 TEST_T:U4 "
        "PART_ID:Cn PART_TXT:Cn PART_FIX:Bn",
        PTR: f"TEST_TXT:Cn ALARM_ID:Cn {LIMITS} UNITS:Cn {FORMATS}",
        MPR: f"TEST_TXT:Cn ALARM_ID:Cn {LIMITS} START_IN:R4 INCR_IN:R4 RTN_INDX:RTN_ICNT*U2 UNITS:Cn UNITS_IN:Cn "
        f"{FORMATS}",
    }.items()
}
"""Name and type of each field; of PTR and MPR those after the results, which `stdf` takes itself."""
NAMES = {MIR: "MIR", PCR: "PCR", HBR: "HBR", SBR: "SBR", SDR: "SDR", WIR: "WIR", WRR: "WRR", PIR: "PIR"}
NAMES |= {PRR: "PRR", PTR: "PTR", MPR: "MPR", FTR: "FTR"}
CODES = {"U1": "B", "U2": "H", "U4": "I", "I1": "b", "I2": "h", "I4": "i", "R4": "f", "B1": "B"}


def byte_order(stream: BinaryIO) -> str:
    """`<` or `>`, by the FAR with which the file starts. Raises Unreadable for what is not STDF version 4."""
    head = stream.read(6)
    if len(head) < 6 or head[:4] not in (b"\x02\x00\x00\x0a", b"\x00\x02\x00\x0a"):
        raise Unreadable("not an STDF file: it does not start with a file attributes record (FAR)")
    processor, version = head[4], head[5]
    if version != 4:
        raise Unreadable(f"STDF of version {version}; version 4 is read, to which the tester's converter can bring it")
    if processor == 0:
        raise Unreadable("STDF with the numbers of a VAX (CPU_TYPE 0); write it with CPU_TYPE 1 or 2")
    return "<" if head[0] else ">"


def records(stream: BinaryIO, order: str) -> Iterator[tuple[int, tuple[int, int], bytes]]:
    """Position in the file, kind and content of each record after the FAR."""
    header = struct.Struct(f"{order}HBB").unpack_from
    data, start, at, ended = b"", 0, 6, False
    while True:
        if len(data) - start < LONGEST and not ended:
            more = stream.read(CHUNK)
            data, start, ended = data[start:] + more, 0, not more
            continue
        if start == len(data):
            return
        length, *kind = header(data, start) if len(data) - start >= 4 else (LONGEST, 0, 0)
        end = start + 4 + length
        if end > len(data):
            raise Unreadable(f"it breaks off within the record that starts at byte {at}; copy the file again")
        yield at, tuple(kind), data[start + 4 : end]
        at += 4 + length
        start = end


class Decoder:
    """Fields of records in one byte order and encoding."""

    def __init__(self, order: str, encoding: str):
        self.encoding = encoding
        self.numbers = {kind: struct.Struct(order + code) for kind, code in CODES.items()}
        self.order = order

    def fields(self, kind: tuple[int, int], content: bytes, at: int, **known) -> dict:
        """By name; fields that were left out are not in it. `known`: counts of arrays that are not in `content`.

        `at`: position of the record, for messages.
        """
        values, position = dict(known), 0
        for name, form in LAYOUTS[kind]:
            if position == len(content):
                break
            try:
                values[name], position = self._value(form, values, content, position)
            except (struct.error, IndexError):
                raise Unreadable(
                    f"the {NAMES[kind]} at byte {at} breaks off within {name}; copy the file again"
                ) from None
            except UnicodeDecodeError:
                raise Unreadable(
                    f"{name} of the {NAMES[kind]} at byte {at} is not {self.encoding}; say which encoding it has with "
                    "encoding: in plant.yml, such as cp1252"
                ) from None
        return values

    def _value(self, form: str, values: dict, content: bytes, at: int) -> tuple[object, int]:
        if "*" in form:
            count, _, kind = form.partition("*")
            numbers = struct.Struct(f"{self.order}{values[count]}{CODES[kind]}")
            return numbers.unpack_from(content, at), at + numbers.size
        if form in self.numbers:
            number = self.numbers[form]
            return number.unpack_from(content, at)[0], at + number.size
        length = 1 if form == "C1" else content[at]
        start = at + (form != "C1")
        end = start + length
        if end > len(content):
            raise IndexError
        return content[start:end] if form == "Bn" else content[start:end].decode(self.encoding), end


def plain(text: str | None) -> str | None:
    """Text without the blanks and zeros with which testers fill fields; None where nothing is left."""
    return (text or "").strip(" \0") or None
