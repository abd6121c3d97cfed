"""What the words of a refusal speak of, in the languages that mail systems speak. Pure.

Codes are given wrongly more often than words: a full mailbox comes back as 5.1.1, a missing one as 5.7.1 or without any code.
So the words decide what a generic code means, and may veto a deadly one (RULES F5). They never make anybody dead.

The table is searched from the top and the first topic that is spoken of wins: the plain before the vague. Texts and
patterns are folded alike (no accents, lower case), so patterns need neither.
"""

import re
import unicodedata
from enum import Enum, auto

_MOST = 4000


class Topic(Enum):
    """What a refusal is about."""

    FULL = auto()
    SIZE = auto()
    SENDER = auto()
    VIRUS = auto()
    GREYLISTED = auto()
    SUPPRESSED = auto()
    RATE = auto()
    LOOKUP = auto()
    POLICY = auto()
    HOST = auto()
    ADDRESS_HIDDEN = auto()
    DISABLED = auto()
    NO_MAILBOX = auto()
    NETWORK = auto()
    DENIED = auto()
    SYSTEM = auto()
    UNAVAILABLE = auto()


_NOISE = re.compile(
    r"https?://[^\s>]{0,500}"  # help pages are named for anything
    r"|<[^<>\s]{0,300}>|[^\s<>@]{1,200}@[^\s<>]{1,200}"  # an address may hold any word
    r"|\b(?:[a-z0-9_-]{1,63}\.){1,8}[a-z]{2,24}\b(?=[\s\[:;,()]|$)"  # and so may a host
    r"|\b[245]\d\d-(?=\d)|\[[\d.:a-f]{3,45}\]",
    re.IGNORECASE,
)


def folded(text: str) -> str:
    """Give a text in lower case without accents, with one kind of blank and of apostrophe."""
    text = text.replace("’", "'").replace("‘", "'").replace("`", "'")
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"\s+", " ", "".join(sign for sign in decomposed if not unicodedata.combining(sign)))


def words_of(text: str) -> str:
    """Give the words of a refusal alone: folded, without addresses, hosts, links and codes' repetitions."""
    return folded(_NOISE.sub(" ", text[:_MOST]))


_BOX = (
    r"(?:mail ?box|mail ?drop|in-?box|account|postfach|postkasse[n]?|postboks(?:en)?|innboks(?:en)?|brevlada[n]?|inkorg(?:en)?"
    r"|boite(?: aux lettres| de reception)?|buzon|casella|caixa|recipient|user|destinat\w+|folder|maildir|skrzynk\w+|postvak)"
)
_PERSON = r"(?:user|recipient|mail ?box|account|address(?:ee)?|customer|alias|person|subscriber|e-?mail(?: address| account)?)"

_PHRASES: tuple[tuple[Topic, str], ...] = (
    (
        Topic.FULL,
        rf"{_BOX}(?:'s)?(?: \w+){{0,4}} (?:is |are |was |has been |ist |er |ar |est |esta |e )?(?:\w+ )?"
        r"(?:full|voll|full[t]?|fullt|pleine?|llen[oa]|pien[oa]|chei[oa]|vol|pelna|fyldt)\b"
        r"|\b(?:mail ?box|inbox|maildir|account)(?: is| size)? ?[:-]? ?full\b|full (?:mail ?box|inbox)|mailfolder is full"
        r"|quota(?!\w)(?! of messages)|over ?quota|quotum|kvot[ae]|contingent|speicherplatz|speichergrenze|plass i (?:post|inn)"
        r"|(?:mail ?box|storage|disk ?space|account|user|recipient)\S*(?: \w+){0,5} "
        r"(?:exceed\w*|over|reached|ueberschritten|uberschritten|overskr\w+|depass\w+|superad\w+|supera)(?: \w+){0,4} "
        r"(?:storage|space|disk|mail ?box|limit|allocat\w+|allowed|quota)"
        r"|exceed\w*(?: \w+){0,3} (?:storage|mailbox size|disk space|mail ?box (?:limit|size))|insufficient (?:disk|storage) "
        r"(?:space )?(?:for|in) (?:user|mailbox|recipient)|storage (?:full|exceeded|limit)|not enough (?:storage|space|room)"
        r"|(?:out of|no more|lacks) (?:storage|disk space|space)|mailbox size limit|recipient storage full|mailbox has grown"
        r"|postfach\w* (?:ist )?(?:\w+ )?(?:voll|ueberfullt|uberfullt)|uberfullt|fullt postkasse|boite.{0,30}pleine|plein[e]?\b"
        r"|buzon.{0,30}lleno|casella.{0,30}piena|caixa.{0,40}cheia|переполнен|почтовый ящик.{0,40}(?:полон|заполнен)"
        r"|容量.{0,12}(?:超|一杯|いっぱい|不足)|メールボックス.{0,20}(?:一杯|いっぱい|満杯)|邮箱.{0,8}已满|已满|信箱.{0,8}滿",
    ),
    (
        Topic.SIZE,
        r"(?:message|mail|content|e-?mail|attachment|file)(?:'s)?(?: \w+){0,4} (?:is |was )?(?:too|to) (?:large|big|long)"
        r"|(?:too|very) (?:large|big) (?:\w+ )?(?:message|mail|attachment)|message (?:size|length)(?: \w+){0,3} exceed\w*"
        r"|exceed\w*(?: \w+){0,5} (?:message|mail|fixed maximum) (?:size|length)|size exceed\w*|max(?:imum)? message (?:size|length)"
        r"|message (?:is )?larger than|larger than (?:the )?(?:\w+ ){0,3}(?:limit|size|allowed)|size limit (?:has been )?exceeded"
        r"|(?:message|header|mail) (?:size|length) (?:limit|is too|violat|not allowed)|recipsizelimit|sendersizelimit"
        r"|(?:nachricht|mail) (?:ist )?zu gross|grossenbeschrankung|for stor\b|trop (?:grand|volumineux|gros)"
        r"|demasiado grande|troppo grand|muito grande|te groot|слишком большо|サイズ.{0,12}(?:超|大き)|太大"
        r"|maximum size|exceeded the size",
    ),
    (
        Topic.SENDER,
        r"(?:sender|from|mail from|return[- ]path|envelope[- ]from|reverse[- ]path)(?:'s)?(?: \w+){0,4}[:, -]+(?:\w+ ){0,4}?"
        r"(?:domain|host|dns)[\w ]{0,40}(?:not (?:found|exist|resolve)|n[o']t (?:exist|resolve)|unknown|must|invalid)"
        r"|domain of sender|sender domain|sender(?:'s)? (?:address|e-?mail|verif\w+|callout|mx)[\w ]{0,30}"
        r"(?:reject|verif|fail|invalid|refus|deni|unknown|not)|sender (?:verif|callout|rejected|refused|denied|unknown|not)"
        r"|(?:bad|invalid|unknown) sender|verify (?:the )?sender|helo|ehlo|(?:reverse|ptr|rdns)\b|your (?:host ?name|hostname|domain)"
        r"|client host rejected|cannot find your|unable to verify (?:sender|from)|not a valid sender",
    ),
    (
        Topic.VIRUS,
        r"virus|\bmalware|trojan|infected|phish\w*|(?:attachment|file)(?: \w+){0,5} (?:not (?:allowed|permitted|accepted)|block\w*"
        r"|prohibited|forbidden|banned|reject\w*|remov\w*|denied)|(?:blocked|banned|forbidden|prohibited|illegal|dangerous|unsafe) "
        r"(?:\w+ )?(?:attachment|file|content)|executable|security (?:issue|threat)|bare (?:lf|cr|newline|line)|invalid header"
        r"|rfc ?(?:2|5)?[58]?[23]22|non-?compliant|malformed|missing (?:a )?(?:\w+ )?header|(?:header|mime)[\w ]{0,20} "
        r"(?:error|missing|corrupt|syntax|malformed)|corrupt (?:message|mail)|conversion (?:required|failed|error|with loss)"
        r"|media not supported|(?:8bit|8-bit|non-?ascii|smtputf8|utf-?8)[\w ]{0,30}(?:not|required|no)|content reject\w*|contentrejected"
        r"|(?:too many|maximum) (?:hops|received)? ?attachments|line (?:is )?too long|ウイルス|вирус|病毒",
    ),
    (
        Topic.GREYLISTED,
        r"gr[ea]y[ -]?list|\bgr[ea]ylisted|temporar\w*|tempor[ae]ire|vorubergehend|midlertidig|tillfallig|try(?:ing)? (?:it |this )?"
        r"(?:again|later)|try again in|later\b|retry (?:in|after|later)|come back|still being (?:retried|tried)|will (?:be )?"
        r"(?:retry|retried|keep trying|continue)|(?:delivery|message|mail)(?: \w+){0,3} (?:has been |been |is |was )?delayed"
        r"|spater (?:noch ?mals?|erneut|wieder)|prov igjen senere|forsok igen|plus tard|mas tarde|piu tardi|позже|再試行|稍后|in the queue",
    ),
    (
        Topic.SUPPRESSED,
        r"suppress\w*|bounced address|(?:previously|recent(?:ly)?|history of) (?:bounc\w+|hard)|address (?:is )?on (?:a|the) "
        r"(?:bounce|suppress)",
    ),
    (
        Topic.RATE,
        r"too (?:many|much|fast)|rate(?:[ -]?limit\w*| that prevents| exceeded| control)|throttl\w*|(?:connection|message|hourly|daily|"
        r"sending|recipient) (?:rate|limit)[\w ]{0,20}(?:exceed|reach|hit)|exceed\w*(?: \w+){0,4} (?:rate|connections|messages|"
        r"per (?:hour|day|minute)|emails)|excessive|receiving mail at a rate|resources restricted|concurrent|max(?:imum)? defers",
    ),
    (
        Topic.LOOKUP,
        r"(?:dns|name ?server|name service|mx|host ?name|domain|address)[\w ]{0,20}(?:lookup|query|resolution)[\w ]{0,20}"
        r"(?:fail\w*|time|error|defer|problem|server)|name service error[\w =,;:]{0,60}(?:again|time)|name server timeout|servfail"
        r"|host name lookup failure|unable to (?:look ?up|resolve) (?:the )?(?:\w+ ){0,3}(?:at this|now)|dns (?:server )?"
        r"(?:time|fail|problem)\w*",
    ),
    (
        Topic.POLICY,
        r"\bspam\w*|\buce\b|\bube\b|\bjunk|unsolicited|\bbulk (?:mail|message|e-?mail)|\bblock(?:ed|ing|s|list)?\b|(?:black|white|deny|"
        r"allow|safe|reject)[ -]?list\w*|\b(?:d?rbl|dnsb?l|rbldns)\b|(?<!not )(?<!non )listed (?:in|by|at|on)|\babus\w*|polic(?:y|ies)|reputation|\bbanned\b"
        r"|senderscore|\bbl[oa]ck|\bspf\b|\bdkim\b|\bdmarc\b|\bsender ?id\b|authenticat\w*|not (?:been )?authori[sz]ed"
        r"|not[- ]authori[sz]ed|unauthori[sz]ed|not (?:permitted|allowed)|prohibited|relay(?:ing)?[\w ,]{0,30}(?:den\w+|not|prohibit"
        r"|reject|refus|disallow|forbid|block)|(?:unable|denied|not|cannot|can't|don't|won't|no|refuse\w*)(?: \w+){0,3} (?:to )?relay"
        r"|we do not relay|open relay|\brelay access|content[- ](?:filter|polic|based|restrict)\w*|filter\w*|\bfirewall|restrict\w*"
        r"|administrative\w*|prohibition|security (?:reason|polic|level|system|violat)\w*|(?:message|mail|e-?mail|transaction|data|"
        r"connection|you(?:r \w+)?|host|ip|session)(?: \w+){0,4} (?:has been |have been |was |is |were |been )?(?:rejected|refused|"
        r"declined|denied|dropped|discarded|quarantined|not accepted)|does(?: not|n't) (?:like|want|accept)(?: \w+){0,3} (?:mail|"
        r"recipient|message|e-?mail)s?(?: \w+){0,2} from|(?:only|not) accept\w*(?: \w+){0,4} from|refus\w+ (?:mail|message|to accept|your)"
        r"|rejected (?:by|due|because|for|as|on|after)|\breject(?:ed)? (?:mail|message)|ip (?:address )?(?:is |has )|permission to (?:send|mail)"
        r"|no permission|members? only|moderat\w+|(?:nur|bare|only) (?:fur )?(?:mitglieder|medlemmer|members)|suspicious|unwelcome"
        r"|abgelehnt|avvist|blokker\w*|verweigert|unerwunscht|rejete|refusee?\b|rechazad\w*|rifiutat\w*|rejeitad\w*|отклонен\w*|спам|"
        r"заблокирован\w* отправ|拒否|拒绝|垃圾",
    ),
    (
        Topic.HOST,
        r"host (?:is )?(?:unknown|not found|does(?: not|n't) exist)|unknown host|unknown (?:mail ?)?domain|domain(?: name)?(?: \w+){0,3} "
        r"(?:not found|unknown|does(?: not|n't) exist|nonexist\w*|non-exist\w*|not exist|could ?n[o']t be (?:found|resolved)"
        r"|not be found|can ?n[o']t be (?:found|resolved)|invalid|not resolve|is not registered)|no such (?:host|domain)|nxdomain"
        r"|non-?exist\w* (?:host|domain)|find any host|name or service not known|(?:illegal|bad|invalid|unresolvable) (?:host|domain)"
        r"|bad destination (?:system|host)|no (?:mx|a) (?:or \w+ )?(?:record|host)s?|(?:all|no) (?:host address lookups|relevant mx)"
        r"|host or domain name not found|could ?n[o']t (?:find|resolve)(?: \w+){0,4} (?:host|domain|mx)|unable to resolve"
        r"|not resolve|domain name lookup|unbekannte domain|domain\w* (?:existiert nicht|nicht gefunden)|domene\w* finnes ikke"
        r"|(?:le )?domaine.{0,20}(?:introuvable|n'existe)|dominio.{0,20}no (?:existe|se)|домен.{0,20}не (?:найден|существует)",
    ),
    (Topic.ADDRESS_HIDDEN, r"recipient address rejected: access denied"),
    (
        Topic.DISABLED,
        rf"{_PERSON}(?:'s)?(?: \w+){{0,5}} (?:is |are |was |has been |have been |been )?(?:\w+ly )?(?:disabled|suspended|inactive|"
        r"deactivated|inactivated|locked|closed|expired|cancell?ed|terminated|discontinued|frozen|dormant|deleted|no longer active|"
        r"not (?:currently )?active|not enabled|abandoned|retired)|(?:disabled|suspended|inactive|deactivated|closed|locked|expired|"
        r"invalid or inactive|deleted) (?:\w+ )?(?:user|account|mail ?box|recipient|address)|not (?:currently )?accepting (?:mail|messages)"
        r"|no longer (?:in use|valid|used|accepts?|available|with|works?|on|an? |here|exist|employ)|has (?:moved|left|changed|been (?:moved|"
        r"replaced))|user (?:has )?moved|new (?:e-?mail )?address|deaktiviert|gesperrt|deaktivert|sperret|stengt|inaktiv\w*|avslutt\w*|"
        r"avaktiverad|desactive\w*|desactivad\w*|disattivat\w*|desativad\w*|suspendu\w*|suspendid\w*|заблокирован|отключен|不活动|停用",
    ),
    (
        Topic.NO_MAILBOX,
        rf"{_PERSON}(?:'s)?(?: \w+){{0,5}}[:;,. -]+(?:is |was |could |does |do |has |be |are |been |can |name )*(?:not |n't |un|non-?|in|isn't |"
        r"doesn't |couldn't |wasn't |cannot |can't )(?: ?be | ?a | ?in | ?on | ?our | ?been | ?)*(?:known|found|exist\w*|valid|listed|"
        r"recogni[sz]ed|registered|local|located|match|resolve\w*|reach\w*|delivered|deliverable|defined|identified|hosted|handled)"
        r"|no such|(?:unknown|invalid|bad|illegal|nonexist\w*|non-exist\w*|incorrect|wrong|unrouteable|unroutable|undeliverable|"
        r"unrecognized|ambiguous)(?: \w+){0,3} (?:user\w*|recipient\w*|account|address(?:ee)?\w*|mail ?box\w*|local[- ]?part|alias|customer|"
        r"forward[- ]path|to)|user ?(?:id)? ?unknown|unknown[- ]user|unrouteable|unroutable"
        rf"|(?:no|not)(?: \w+){{0,3}} (?:mail ?box|user|account|recipient|address|person|alias|one|customer|such)(?: \w+){{0,3}} (?:here|by|with"
        r"|of|named|called|for|at|found|known|exists?)|does(?: not|n't) (?:exist|have an?)|do(?:es)? not exist|not a (?:known|valid|local|"
        r"registered|real)|not (?:our|a) (?:customer|user)|(?:not|isn't|is not) (?:listed|found|known|recogni[sz]ed|existing) (?:in|at|here|by|"
        r"on|to)|can(?:not|'t| not) (?:find|locate|be found)|couldn't be found|could not be found|wasn't found|was not found|notfound|"
        r"not found|no ?longer exists|recipnotfound|recipientnotfound|adr\.recip|address not found|ei loydy|not exist|"
        r"wrong email|check the (?:\w+ )?address|bad address|delivery not possible to this address|mail ?box not (?:found|exist)"
        r"|not available (?:here|on this)|ukjent|okand|ukendt|unbekannt|inconnue?|desconocid\w*|sconosciut\w*|inesistente|desconhecid\w*|"
        r"onbekend|nieznany|nie istnieje|inexist\w*|finnes ikke|finns inte|findes ikke|eksisterer ikke|existe pas|no existe|nao existe|"
        r"non esiste|existiert nicht|nicht gefunden|bestaat niet|kunne ikke finnes|hittades inte|kunde inte hittas|introuvable|"
        r"no se encontro|no se ha encontrado|не существует|не найден\w*|неизвестн\w*|нет такого|存在し|見つかり|該当|不存在|没有找到|找不到",
    ),
    (
        Topic.NETWORK,
        r"time[- ]?d? ?out|timeout|refused|unreachable|no route|connection (?:\w+ ){0,3}(?:closed|reset|lost|dropped|fail\w*|broken|died)"
        r"|(?:unable|failed|could ?n[o']t|cannot|can't) (?:to )?(?:\w+ )?(?:connect|establish|contact|reach)|(?:not|n't) (?:respond\w*|"
        r"connect\w*|answer\w*)|no (?:answer|response)|lost connection|queue (?:for )?too long|in (?:the )?queue|retry timeout|"
        r"(?:delivery|message|retry|queue|lifetime) ?(?:time|period|limit)?(?: \w+){0,2} (?:expired|exceeded)|expired|too many (?:hops|received)"
        r"|\bloop(?:s|ing|ed)?\b|hop count|network|starttls|\btls\b|\bssl\b|certificate|bad connection|communications? (?:error|fail)|"
        r"protocol error|routing|\broute\b|had been trying|(?:been|after) (?:\w+ ){0,3}(?:hours|days)|zeituberschreitung|nicht erreichbar|"
        r"delai|tiempo|tidsavbrudd",
    ),
    (Topic.DENIED, r"\bdenied\b|access (?:is )?(?:den|forbid)|\bforbidden\b|not accepted|rejected|zugriff|nektet|prohibid"),
    (
        Topic.SYSTEM,
        r"(?:system|server|internal|local|mailer|configuration|software|program|service|unexpected|processing|i/o|input/output|script|"
        r"resource|database)(?: \w+){0,3} (?:error|fail\w*|problem|unavailable|not available|down|busy|exhaust\w*|misconfig\w*|exited|overload\w*)"
        r"|misconfig\w*|insufficient (?:system )?(?:storage|resources|memory)|disk (?:full|space|error)|no space left|can(?:not|'t) (?:create|"
        r"open|write|append|allocate|execute|update)|unable to (?:create|open|write|append|execute)|command (?:died|failed)|exit(?:ed)? "
        r"(?:with )?(?:status|code|value)|out of memory|shutting down|service not available|lowest numbered mx|maildir|local error|"
        r"requested action aborted|deferred|permission denied|read-only|pipe (?:to|command|delivery)|died with|unable to process",
    ),
    (
        Topic.UNAVAILABLE,
        r"unavailable|not available|nicht verfugbar|ikke tilgjengelig|indisponible|no disponible|недоступ\w*|undeliver\w*|"
        r"address reject|recipient reject|not taken|name not allowed",
    ),
)

_TOPICS = tuple((topic, re.compile(pattern)) for topic, pattern in _PHRASES)

_VETO = re.compile(
    r"\bdenied\b|size limit|\bstorage\b|\bexceeded\b|\bblock(?:ed|ing|s)?\b|spam|\babus|\bpolic|reputation|\bbanned\b|\blater\b|temporar"
    r"|too (?:many|much)|throttl|\bfull\b|\bvacation\b|out of (?:the )?office"
)
_VETO_TOPICS = frozenset(
    {Topic.FULL, Topic.SIZE, Topic.VIRUS, Topic.GREYLISTED, Topic.SUPPRESSED, Topic.RATE, Topic.POLICY, Topic.ADDRESS_HIDDEN}
)


def topic_of(text: str) -> Topic | None:
    """Give what a refusal speaks of, None where its words say nothing."""
    words = words_of(text)
    return next((topic for topic, pattern in _TOPICS if pattern.search(words)), None)


def vetoes(text: str) -> bool:
    """Say whether the words of a deadly code speak of something else than a missing mailbox (RULES F5)."""
    return topic_of(text) in _VETO_TOPICS or _VETO.search(words_of(text)) is not None
