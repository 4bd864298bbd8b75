"""Recognises in other languages what is to be done one after another, by a few frequent words."""

# ruff: noqa: RUF001 - letters of other alphabets are meant

from __future__ import annotations

from otel_parallelism.patterns import CaselessPattern

from .letters import composed

_IN_TURN = CaselessPattern(
    r"(?<!\w)(?:nacheinander|hintereinander|der reihe nach|l'une? apr[eè]s l'autre|un[oa] tras otr[oa]"
    r"|uma? depois d[oa] outr[oa]"
    r"|un[oa] dopo l'altr[oa]|na elkaar|efter varandra|efter hinanden|etter hverandre|po kolei|по очереди"
    r"|друг за другом|s[ıi]rayla"
    # In this order.
    r"|in (?:genau )?(?:dieser|der(?: \w+)?) (?:reihenfolge|abfolge)|in (?:precies )?(?:deze|die) volgorde"
    r"|dans (?:cet|l')\s?ordre|(?:en|por) (?:este|ese) (?:mismo )?orden|in (?:quest'|questo )ordine"
    r"|n[ea]st[ea] (?:mesma )?"
    r"(?:ordem|sequ[eê]ncia)|i (?:den |denna |denne )(?:h[aä]r )?(?:ordning|ordningen|r[aæ]kkef[oø]lge|rekkef[oø]lgen?)"
    r"|в (?:так\w+|эт\w+|указанн\w+|строг\w+) (?:порядке|последовательности)|в (?:такому|цьому) порядку"
    r"|w (?:tej|podanej) kolejno[sś]ci|v (?:tomto|dan[eé]m) po[rř]ad[ií]|bu s[ıi]ra(?:yla|da)"
    # Only then.
    r"|(?:und )?erst (?:dann|danach|daraufhin|anschlie[sß]+end|hinterher|nachdem)|dann erst|pas (?:dan|daarna|nadat)"
    r"|(?:ensuite|puis|apr[eè]s) seulement|seulement (?:ensuite|apr[eè]s|alors|puis)"
    r"|s[oó]lo (?:entonces|despu[eé]s|luego)|(?:una vez|despu[eé]s de) (?:que |haber )?\w+(?:d[oa]s?|r(?:l[oa]s?)?)"
    r"|solo (?:dopo|allora|poi|in seguito)|una volta (?:\w+[aeiou]t[oaie]|che)|s[oó] (?:depois|ent[aã]o|a[ií])"
    r"|uma vez (?:\w+d[oa]s?|que)|f[oö]rst (?:d[aå]|d[aä]refter|sedan|n[aä]r|efter att)"
    r"|f[oø]rst (?:da|derefter|etter|s[åa]|n[aå]r|efter at)|(?:a )?dopiero (?:potem|wtedy|po|p[oó][zź]niej)"
    r"|a[zž] (?:potom|pak|pot[eé])|ancak (?:\w+ )?sonra|(?:только|лишь) (?:потом|затем|после|тогда|когда)"
    r"|(?:тільки|лише) (?:потім|після|тоді)|فقط (?:بعد|ثم)|بعد ذلك فقط|وليس قبل|उसके बाद ही|तभी)(?!\w)"
    r"|依次|按(?:照)?(?:以下|这个|這個|此)?[顺順]序|[完好](?:之)?[后後]再|再(?:去)?(?:查|看|读|讀)|才能?(?:查|看|读|讀)"
    r"|順番に|(?:この|次の|以下の)順(?:番|序)?[でに:：]|(?:終わ|読み終|済ん|確認し)\w{0,3}?(?:ってから"
    r"|んでから|てから|たら)"
    r"|차례로|순서대로|(?:다음|후|뒤)에만|[고은] (?:난|나서|뒤|후)에?(?!\w)",
)
_ONE = r"(?:eine?[nmr]?|une?|un[ao]?|uma?|[ée][ée]n|een|[éeè]n|ett?|jed(?:en|n[oąa])|один|одн[ауо]|одного|bir|1)"
_LIMIT = CaselessPattern(
    # One at a time, one a second.
    r"(?<!\w)"
    + _ONE
    + r" (?:\w+ ){0,3}(?:zur (?:gleichen|selben) zeit|gleichzeitig|zugleich|auf einmal|nach der anderen"
    r"|pro (?:sekunde|minute|stunde)|[aà] la fois|par (?:seconde|minute|heure)|en m[eê]me temps|a la vez|por (?:segundo"
    r"|minuto|hora|vez)|al (?:mismo tiempo|secondo|minuto)|alla volta|per volta|de cada vez|ao mesmo tempo|tegelijk"
    r"|tegelijkertijd|per (?:seconde|minuut|keer)|[aå]t g[aå]ngen|i taget|ad gangen|om gangen|samtidigt?|naraz"
    r"|jednocze[sś]nie|na (?:sekund[eę]|minut[eę])|najednou|sou[cč]asn[eě]|одновременно|за раз|в (?:секунду|минуту|час)"
    r"|kabul|istek)(?!\w)"
    # Not at the same time.
    r"|(?<!\w)(?:nie|nicht|niemals|kein\w*|ohne)(?!\w)[^.!?]{0,80}(?<!\w)(?:gleichzeitig\w*|parallel\w*|zeitgleich"
    r"|zur (?:gleichen|selben) zeit)|(?<!\w)(?:jamais|pas|aucune?|sans|ne)(?!\w)[^.!?]{0,80}(?<!\w)(?:simultan[eé]\w*"
    r"|en (?:parall[eè]le|m[eê]me temps)|concurrentes?(?!\w))|(?<!\w)(?:nunca|no|sin|non|senza|mai|n[aã]o|sem)(?!\w)"
    r"[^.!?]{0,80}(?<!\w)(?:simult[aáâ]ne(?:[oaie]|[oa]s|amente)|(?:en|em) paralelo|in parallelo|concurrentes"
    r"|contemporane\w*|concorrent[ei]|a la vez|al mismo tiempo|ao mesmo tempo)(?!\w)"
    r"|(?<!\w)(?:nooit|niet|geen|aldrig|inte|ikke|nie|nigdy|не|без|никогда"
    r"|нельзя)(?!\w)[^.!?]{0,80}(?<!\w)(?:tegelijk\w*"
    r"|samtidig\w*|parallell\w*|r[oó]wnoleg\w*|jednocze[sś]n\w*|параллельн\w*|одновременн\w*)"
    r"|(?<!\w)(?:zwei|mehrere[nr]?|deux|plusieurs|dos|varias|due|pi[uù]|duas|v[aá]rias|twee|meerdere|tv[aå]|flera"
    r"|to|flere"
    r"|dwa|kilka|два|две|несколько)(?!\w)[^.!?]{0,40}(?<!\w)(?:gleichzeitig\w*|simultan\w*|simult[aáâ]ne\w*"
    r"|contemporane\w*"
    r"|tegelijk\w*|samtidig\w*|jednocze[sś]n\w*|одновременн\w*)|(?<!\w)(?:hintereinander|nacheinander|mehrbenutzer\w*)"
    # Before another one.
    r"|(?<!\w)(?:bevor|ehe|avant|antes|prima|voordat|innan|f[oø]r|zanim|прежде"
    r"|перед)(?!\w)[^.!?]{0,40}(?<!\w)(?:n[aä]chste\w*"
    r"|andere\w*|weitere\w*|autre|suivante?|otr[oa]|siguiente|altr[oa]|prossim[oa]|outr[oa]|pr[oó]xim[oa]"
    r"|volgende|n[aä]sta"
    r"|neste|n[aæ]ste|kolejn\w*|nast[eę]pn\w*|следующ\w*|друг\w*)(?!\w)"
    # Wait for the answer.
    r"|(?<!\w)(?:warte\w*|attend\w*|esper[ae]\w*|aguard\w*|aspett\w*|wacht\w*|v[aä]nta\w*|vent|poczekaj|do?[zž]d\w*"
    r"|дожд\w*|жди\w*|bekle\w*)(?!\w)[^.!?]{0,80}(?<!\w)(?:antwort\w*|ergebnis\w*|r[eé]ponse|r[eé]sultat|respuesta"
    r"|resultado|resposta|risposta|risultato|antwoord\w*|resulta\w*|svar\w*|odpowied\w*|odpov\w*|ответ\w*|yan[ıi]t\w*)"
    r"|逐个|逐個|逐一|逐条|逐條|单线程|單線程|[一1](?:つ|件)ずつ|하나씩|(?:同时|同時|一次|每次)(?:只|僅|仅)"
    r"|只(?:能|可|支持|接受|处理|處理)[^。]{0,12}(?:一[个個次条條件]|单"
    r"|單)|不(?:支持|允许|允許|能|得|可)"
    r"[^。]{0,8}(?:并发|並發|并行|同时|同時)|等[^。]{0,16}(?:返回|完成|结束|結束|响应|響應|结果"
    r"|結果)[^。]{0,6}(?:再|才)"
    r"|(?:同時に|一度に|一回に)[^。]{0,8}(?:一|1|ひと)|(?:並列|並行|同時)[^。]{0,12}(?:ない|ません|不可|禁止)"
    r"|(?:応答|返事|結果|回答|完了)[^。]{0,6}(?:待って|待ち)|한 ?번에 (?:하나|한)|동시에[^.]{0,16}(?:하나|한 "
    r"|않|없|못|말)"
    r"|(?:응답|결과)[을를]? 기다|(?:واحد[اة]?\S*) (?:فقط )?(?:في كل مرة|في الوقت|في نفس|في الثانية)"
    r"|एक बार में (?:केवल )?एक",
)
# Tools in general: that they are called one by one is what the advice is to change.
_TOOLS = CaselessPattern(
    r"(?<!\w)(?:werkzeuge?n?|tools?|funktion(?:en|er)?|outils?|fonctions?|herramientas?|funci[oó]n(?:es)?|ferramentas?"
    r"|fun[cç](?:[aã]o|[oõ]es)|strument[oi]|funzion[ei]|hulpmiddel(?:en)?|verktyg|verkt[oø]y|v[aæ]rkt[oø]j(?:er)?"
    r"|narz[eę]dzi\w*|n[aá]stroj\w*|инструмент\w*|функци\w*|інструмент\w*|ara[cç]\w*)(?!\w)|工具|函数|函數"
    r"|ツール|関数|도구"
    r"|أداة|أدوات|उपकरण|टूल",
)


def has_foreign_order(text: str) -> bool:
    """
    Return whether *text* asks in another language for one thing after another.

    >>> has_foreign_order("Frage n1 und n2 nacheinander ab"), has_foreign_order("Fragen n1 und n2")
    (True, False)
    >>> has_foreign_order("Erst der Preis, dann das Wetter."), has_foreign_order("Lies A, und erst danach B.")
    (False, True)
    """
    return _IN_TURN.search(composed(text))


def has_foreign_limit(sentence: str) -> bool:
    """
    Return whether a *sentence* in another language limits how many requests something answers at a time.

    >>> has_foreign_limit("Das Archiv verträgt nur eine Anfrage zur gleichen Zeit.")
    True
    >>> has_foreign_limit("Rufe nur ein Werkzeug zur gleichen Zeit auf."), has_foreign_limit("Das Archiv ist alt.")
    (False, False)
    """
    sentence = composed(sentence)
    return _LIMIT.search(sentence) and not _TOOLS.search(sentence)
