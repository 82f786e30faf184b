"""An independent reader of CSV tables, one byte after the other, and tables that are hard to read."""

from __future__ import annotations


def records(body: bytes) -> list[bytes]:
    """The records of a table without their line ends: what stands in quotes ends nothing."""
    found, start, quoted = [], 0, False
    for position, byte in enumerate(body):
        if byte == ord('"'):
            quoted = not quoted
        elif byte == ord("\n") and not quoted:
            found.append(body[start:position].removesuffix(b"\r"))
            start = position + 1
    return found if start == len(body) else [*found, body[start:]]


def cells(record: bytes) -> list[bytes]:
    """The cells of one record."""
    found, cell, quoted, position = [], bytearray(), False, 0
    while position < len(record):
        byte = record[position : position + 1]
        if byte == b'"' and quoted and record[position + 1 : position + 2] == b'"':
            cell += byte
            position += 1
        elif byte == b'"':
            quoted = not quoted
        elif byte == b"," and not quoted:
            found.append(bytes(cell))
            cell.clear()
        else:
            cell += byte
        position += 1
    return [*found, bytes(cell)]


BODIES: dict[str, bytes] = {
    "plain": b"a,b\nx,y\nq,\n,\n",
    "header-only": b"a,b\n",
    "header-without-line-end": b"a,b",
    "last-row-without-line-end": b"a,b\nx,y",
    "crlf": b"a,b\r\nx,y\r\n,z\r\n",
    "crlf-quoted-header": b'"a","b"\r\n"x","y"\r\n',
    "quotes": b'a,b\n"x","say ""y"""\n"""",""""""\n',
    "newlines-in-quotes": b'a,b\n"x\n\n,","\n"\n"\n","y\r\n"\n',
    "newlines-in-quotes-crlf": b'a,b\r\n"x\n\r\n","\r\n"\r\n"\r","y"\r\n',
    "carriage-return-in-quotes": b'a,b\n"x\ry","\r"\n',
    "carriage-return-outside-quotes": b"a,b\nx\rw,y\r2\n",
    "nul": b'a,b\nx\0,\0y\n"\0","x""\0"\n',
    "control-characters": b'a,b\n"\x01\x08\x0b\x0c\x1a\x1b\x1c\x1d\x1e\x1f\x7f",y\n',
    "no-utf8": b'a,b\n\xff\xfe,"\xc3"\nx,"\xf5\x80,y"\n',
    "utf8-cut-at-the-comma": b"a,b\n\xe2\x82,\xac\n",
    "surrogates-as-utf8": b'a,b\n\xed\xa0\x80,"\xed\xb0\x80y"\n',
    "overlong": b"a,b\n\xc0\xaf,\xc0\xa2y\n",
    "bom-in-header": b"\xef\xbb\xbfa,b\nx,y\n",
    "utf16-bom": b"\xff\xfea,b\nx,y\n",
    "line-separators-of-unicode": "a,b\nx\u2028\u2029\u0085,\u2028y\n".encode(),
    "emoji-and-combining": "a,b\n\U0001f600\u0301,y\u200d\n".encode(),
    "one-column": b"a\nx\n\n\ny\n",
    "rows-shorter": b"a,b,c\nx\n\nx,y\n",
    "duplicate-columns": b"a,a,b,b\n,x,,y\nx,,y,\n",
    "no-twins": b"b,a\ny,x\n",
    "twins-after": b'a,b,__mv_a,__mv_b\n"w\nx",y,$w$;$x$,\n',
    "twins-between": b'a,__mv_a,b,__mv_b\n"w\nx",$w$;$x$,y,\n',
    "twins-with-dollars": b'a,__mv_a\n"$\nx","$$$$;$x$"\n"$;$\nx","$$$;$$$;$x$"\n',
    "twin-of-one-value": b"a,__mv_a\nx,$x$\n",
    "twin-that-is-none": b'a,__mv_a\nx,junk\nq,"$x"\nq,$\n',
    "twin-without-column": b"b,__mv_a\ny,$x$;$w$\n",
    "twin-of-a-twin": b"a,__mv_a,__mv___mv_a\nx,,$w$;$x$\n",
    "chunked-idx": b"_chunked_idx,a,_serial,_unknown\n0,x,7,x\n1,,8,needle\n",
    "names-with-commas-and-quotes": b'"a,b","say ""a""","__mv_a,b",b\nx,needle,,y\n',
    "name-with-newline": b'"a\nb",b\nx,y\n',
    "name-empty": b",b\nx,y\n",
    "name-no-utf8": b"\xff,b\nx,y\n",
    "trailing-comma": b"a,b,\nx,y,\n",
    "unneeded-quotes": b'"a",b\n"x","y"\n"","q"\n',
    "text-around-quotes": b'a,b\n"x"w,y\n',
}
