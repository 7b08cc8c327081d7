"""Takes secrets out of texts before they leave the process; what stands instead is `[redacted:KIND]`.

A table of forms: what providers document for their keys, and what stands beside words such as
`aws_secret_access_key`. The libraries there are (detect-secrets and its like) look for secrets in files, line
by line with entropy and a word list: they flag the hashes and ids that Terraform is full of, cannot see
through a JSON string's escapes, and say only that a line has one. So the table is ours.

Each form matches in linear time: none can begin inside its own token, and every gap is bounded.
Most texts hold none of the `signs`, and no regular expression runs over these.

It is a net and no proof: a password that looks like a word, in a place that nobody would expect, passes.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

_BEGIN = r"(?:(?<![A-Za-z0-9_/+-])|(?<=\\[bfnrt]))"
"""Where a token may begin: not inside a word, but right after an escaped line feed of a JSON string."""

_IS = r"""(?=["'\\\s:=,>])["'\\]{0,16}\s{0,8}(?:=>|[:=,>])?(?:\\[nrt]|\s){0,8}["'\\]{0,16}"""
"""What stands between a name and its value, in HCL, YAML, an environment, XML, JSON, or JSON inside JSON."""


_KEY = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?"
_LINE = r"(?:(?:\\{1,16}[nr]|[\r\n])[ \t]{0,40}){1,4}"
"""What begins a line of a key, escaped as it may be."""


class Form(NamedTuple):
    """A kind of secret. `signs` are in lower case, one of them is in every text that holds such a secret."""

    kind: str
    signs: tuple[bytes, ...]
    pattern: re.Pattern[str]


def _form(kind: str, signs: str, pattern: str, flags: int = 0) -> Form:
    return Form(kind, tuple(signs.encode().split()), re.compile(pattern, flags))


# A group called `keep` stays, and so does what follows a match; all else of it is replaced.
FORMS = (
    # https://www.rfc-editor.org/rfc/rfc7468, with the headers of older ones. One that was cut off is told by
    # its lines; whoever only names such a header says no secret.
    _form(
        "private-key",
        "-----begin",
        rf"-----BEGIN {_KEY}-----(?:(?:[A-Za-z0-9+/=\s\\:,.]|-(?!----)){{0,20000}}-----END {_KEY}-----"
        rf"|(?:{_LINE}[A-Za-z0-9+/=]{{16,130}}){{1,300}}(?:{_LINE}[A-Za-z0-9+/=]{{1,130}})?)",
    ),
    # The secret first, which may stand right behind its id, as in a file of credentials that was downloaded.
    _form(
        "aws-secret-access-key",
        "secret akia asia",
        rf"(?P<keep>(?:aws_?)?secret_?(?:access_?)?key{_IS}"
        rf"|{_BEGIN}(?:AKIA|ASIA)[A-Z0-9]{{16}}[\s,:;|/\"'\\]{{1,8}})"
        r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
        re.IGNORECASE,
    ),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
    # Of these only AKIA and ASIA are keys; AROA and AIDA name roles and users, which are no secrets.
    _form("aws-access-key-id", "akia asia", _BEGIN + r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _form(
        "aws-session-token",
        "token",
        rf"(?P<keep>(?:session|security)[_-]?token{_IS})[A-Za-z0-9/+=%]{{64,}}",
        re.IGNORECASE,
    ),
    _form(
        "aws-session-token",
        "iqojb3jpz2lu fwogzxivyxdz fqogzxivyxdz",
        _BEGIN + r"(?:IQoJb3JpZ2lu|F[wQ]oGZXIvYXdz)[A-Za-z0-9/+=%]{40,}",
    ),
    # https://www.rfc-editor.org/rfc/rfc7519
    _form("jwt", "eyj", _BEGIN + r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    # https://www.rfc-editor.org/rfc/rfc6750#section-2.1; in prose "bearer" is followed by words.
    _form(
        "bearer-token",
        "bearer",
        r"(?P<keep>(?<![A-Za-z])bearer[ \t]{1,4})(?=[A-Za-z._~+/-]{0,64}[0-9])[A-Za-z0-9._~+/-]{16,}={0,2}",
        re.IGNORECASE,
    ),
    _form(
        "authorization",
        "authorization",
        rf"(?P<keep>authorization{_IS}(?:basic|token|apikey)[ \t]{{1,4}})[A-Za-z0-9._~+/=-]{{8,}}",
        re.IGNORECASE,
    ),
    # https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    _form(
        "github-token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        _BEGIN + r"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})",
    ),
    # https://docs.gitlab.com/security/tokens/#token-prefixes
    _form(
        "gitlab-token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glagent- glimt- gloas-",
        _BEGIN + r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{20,}",
    ),
    # https://docs.slack.dev/authentication/tokens
    _form("slack-token", "xox xapp-", _BEGIN + r"(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,}"),
    _form(
        "slack-webhook",
        "hooks.slack.com",
        r"(?P<keep>hooks\.slack\.com/(?:services|workflows|triggers)/)[A-Za-z0-9/+_-]{20,}",
    ),
    _form(
        "api-key",
        "sk- aiza npm_ pypi- sk_live_ rk_live_ .atlasv1. hvs. hvb.",
        _BEGIN
        + r"(?:sk-(?:ant|proj|svcacct|admin|or)-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9]{40,}|AIza[A-Za-z0-9_-]{35}"
        r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|[rs]k_live_[A-Za-z0-9]{20,}"
        r"|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}|hv[sb]\.[A-Za-z0-9_-]{24,})",
    ),
    # https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1; what is a placeholder is no password.
    _form(
        "password",
        "://",
        r"(?P<keep>[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s:/@\"'\\?#]{0,128}:)"
        r"(?![$<{%*]|\[redacted:)[^\s/@\"'\\]{1,256}(?=@)",
    ),
    _form(
        "password",
        "password= pwd= accountkey= sharedaccesskey=",
        r"(?P<keep>[;?&\"'](?:password|pwd|accountkey|sharedaccesskey)=)"
        r"(?![$<{%*]|\[redacted:)[^\s;&\"'\\]{4,256}",
        re.IGNORECASE,
    ),
)


_SIGNS = tuple((sign, form) for form in FORMS for sign in form.signs)


def redact(text: str) -> str:
    """The text without the secrets that it is seen to hold; itself where there are none."""
    lowered = text.encode("utf-8", "surrogatepass").lower()  # bytes are searched faster
    for form in dict.fromkeys([form for sign, form in _SIGNS if sign in lowered]):
        text = form.pattern.sub(_replacing(form.kind), text)
    return text


def _replacing(kind: str) -> Callable[[re.Match[str]], str]:
    def replacement(found: re.Match[str]) -> str:
        return f"{found.groupdict().get('keep') or ''}[redacted:{kind}]"

    return replacement
