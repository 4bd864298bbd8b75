"""Recognises conditions in other languages, by a few frequent words."""

# ruff: noqa: RUF001 - letters of other alphabets are meant

from __future__ import annotations

import re

from otel_parallelism.patterns import CaselessPattern, LazyPattern

from .letters import composed

_POLITE = LazyPattern(
    r"(?<!\w)(?:wenn (?:m[oö]glich|du |sie |ihr |ich |wir )|s'il (?:vous|te) pla[iî]t|si (?:possible|tu |vous |je |on )"
    r"|si (?:es posible|puedes|puede)|se (?:possibile|poss[ií]vel|puoi|pu[oò]|voc[eê]|puder)"
    r"|(?:v[eé]rifiez?|dis[- ]moi|dites[- ]moi|savoir|regardez?|demandez?|comprueba|verifica|dime|saber|mira|controlla"
    r"|dimmi|sapere|verifique|diga) (?:me )?s[ie])(?!\w)|如果(?:可以|可能|方便)"
    r"|(?:よ(?:ろし)?|良|宜し)(?:けれ?|かった)[ばら]|でき(?:れば|ましたら|たら)|可能なら|만약 가능하다면"
    r"|괜찮[다으]면|가능하[다]?면",
    re.IGNORECASE,
)
# How a request begins that may follow a condition without a word for "if".
_SHOWS = r"(?:zeig|lies|gib|hol|such|schau|pr[uü]f|nenn|ruf|[öo]ffn|nimm|find|brauch|m[oö]cht)\w*(?!\w)"
_SHOWS_RU = r"(?:покаж|да[йи]|на[йи]д|вывед|откро|провер|посмотр|прочит|пришл|назов)\w*"
# Each group is tried at few places of a text: at the beginning of a clause, at that of a word, or at a certain letter.
_CONDITION = CaselessPattern(
    # "Als ich in Wien war" is German, and no condition.
    r"(?:^|[,;:.])\W{0,9}(?:(?:se|als(?! (?:ich|wir|es|ob|das|der|sie|eine?[nmrs]?)(?!\w))|om|ifall|ha|skulle|caso) "
    r"|sollten? (?=[^.!?;]*,)"
    r"|bei (?!(?:de[rmn]|eine[rm]|uns|mir|euch|ihm|ihr)(?!\w))\w+,? " + _SHOWS + r"|(?:ist|sind|liegt|steht|wird|hat"
    r"|fehlt|gibt|war|zeigt|f[äa]llt|steigt|bleibt|kommt|reicht) [^,.!?;]{1,60}, (?:dann |so )?" + _SHOWS + ")"
    # German
    r"|(?<!\w)(?:(?:wenn|falls|sofern|andernfalls|ansonsten|sonst|sobald|im falle?|je nachdem|je nach (?:dem|ergebnis"
    r"|antwort|stand|lage)|abh[aä]ngig von|es sei denn|au[sß]+er wenn|vorausgesetzt|gegebenenfalls|ggf|notfalls|mangels"
    r"|in ermangelung|nur (?:bei|im falle?|dann)"
    # Dutch, Swedish, Danish and Norwegian
    r"|indien|anders|en als (?:het|de|die|dat|hij|er|zij)|in geval van|afhankelijk|mocht(?:en)?|tenzij|mits"
    r"|zo niet|zo ja|bij gebrek aan|annars|ellers|hvis"
    r"|beroende p[aå]|avhengig|afh[aæ]ngigt?|alt etter|s[aå]vida|f[oö]rutsatt|vid behov|i s[aå] fall|i s[aå] fald"
    r"|medmindre|med mindre|s[aå]fremt|dersom|forudsat|forutsatt|om (?:\w+ ){1,2}(?:[äa]r|st[åa]r|blir|finns|har|visar"
    r"|g[åa]r|kommer|ligger|regnar|sn[öo]ar|r[äa]cker|saknas|inte)"
    # French
    r"|si|s'ils?|sinon|au cas o[uù]|d[eè]s que|en cas d[e'u]\w*|selon (?:ce|que|si|l[ea]s? (?:r[eé]sultats?"
    r"|r[eé]ponses?))"
    r"|faute de|[aà] condition (?:que|de)|[aà] d[eé]faut|sauf (?:si|en cas)|le cas [eé]ch[eé]ant|dans ce cas"
    r"|(?:uniquement|seulement) en cas"
    # Spanish, Italian and Portuguese
    r"|en caso de|em caso de|in caso d\w+|de lo contrario|hasta que|altrimenti|finch[eé]|sen[aã]o|caso contr[aá]rio"
    r"|seg[uú]n (?:lo|el resultado|los resultados|si|c[oó]mo|haya|salga|sea|est[eé])|dependiendo|dependendo|consoante"
    r"|a seconda|in base a(?:l|lla|i)? (?:risultat[oi]|risposta|quello)|qualora|a (?:no|n[aã]o) ser que"
    r"|salvo (?:que|si|se"
    r"|che)|a (?:menos que|falta de|meno che|patto che|condizione)|en su defecto|siempre (?:que|y cuando)"
    r"|con tal de que|en ese caso|de (?:no )?(?:haber|estar|ser as[ií])|cuando (?:est[eé]n?|haya|sean?|salga|suba|baje"
    r"|llegue|tenga|falte)|in (?:mancanza|assenza) di|purch[eé]|nel caso|in tal caso|na falta de|na aus[eê]ncia"
    r"|desde que|contanto que|nesse caso|exceto se|quando (?:estiver|houver|for|faltar)"
    # Slavic languages in Latin letters
    r"|w (?:razie|przypadku|(?:przeciwnym|takim) razie|zale[zż]no[sś]ci)|zale[zż]nie|je[sś]li|je[zż]eli|gdyby|o ile"
    r"|chyba [żz]e|pod warunkiem|v p[rř][ií]pad[eě]|v opa[cč]n[eé]m p[rř][ií]pad[eě]|ukoliko|ako|pokud|jestli(?:[zž]e)?"
    r"|kdy[zž]|kdyby|leda[zž]e|keby|inak"
    # Turkish
    r"|sonucuna g[oö]re|e[gğ]er|yoksa|varsa|olursa|ise|\w+(?:yorsa|m[ae]zs[ae]|[ıü]rs[ae]|(?:[ıiuü]|l[ıi]"
    r"|s[ıi]z)ys[ae])"
    r"|(?!\w*(?:[vpm]ers|pars|[oe]ars))\w{2,}[ae]rs[ae]|(?:bo[şs]|dolu|yok|a[çc]ık|kapalı|az|[çc]ok|fazla"
    r"|d[üu][şs][üu]k"
    r"|y[üu]ksek|hazır|uygun|de[ğg]il|eksik)s[ae]|aksi (?:halde|takdirde)|[şs]ayet|takdirde"
    # Hungarian, Finnish, Estonian, Lithuanian, Romanian, Vietnamese, Malay and Swahili
    r"|(?:[ée]s|de|vagy) ha|jos|mik[aä]li|ellei|muuten|jei|kui|juhul|dac[aă]|altfel|[îi]n caz|n[eế]u"
    r"|trong tr[ưu][ờo]ng h[ợo]p|tr[ừu] khi|kalau|jika|apabila|asalkan|seandainya|kecuali|bilamana|ikiwa)(?!\w)"
    r"|pourvu qu|d[eè]s qu|faute d|[aà] (?:moins (?:que|qu'|de)|condition qu))"
)
_IN_OTHER_SCRIPTS = CaselessPattern(
    # Russian, Ukrainian and other languages in Cyrillic or Greek letters
    r"(?<!\w)(?:если|иначе|в зависимости|якщо|ако|в (?:случае|(?:противном|таком|этом) случае)|кроме случаев|разве что"
    r"|у разі|в разі|(?:при|за) (?:(?:его|е[ёе]|их) )?(?:отсутств|нехватк|наличи|превышен|необходимост|ошибк|сбо"
    r"|недостат|відсутност|нестач|потреб)\w*|[αά]ν|ε[αά]ν|σε περ[ίι]πτωση|εκτ[όο]ς αν"
    # Hebrew, Arabic, Persian, Urdu and Hindi
    r"|ו?אם|במידה|במקרה|[وف]?(?:إذا|لو|إن (?:كان|كانت|وجد|لم|زاد|حدث|تجاوز)\w*)|في حال(?:ة)?|عند (?:نفاد|عدم|غياب|وجود)"
    r"|ما لم|وإلا|شريطة|اگر|چنانچه|در صورت|ہو(?:ئی|ا|ں)? تو|अगर|यदि|होने पर|हो तो)(?!\w)"
    r"|(?:^|[,;:.—–-]|(?<!\w)[аи] )\W{0,9}при \w+ (?:\w+ )?" + _SHOWS_RU + r"|[—–]\s*(?:то |тогда )?" + _SHOWS_RU +
    # Thai, Chinese, Japanese and Korean
    r"|ถ้า|หาก|如果|假如|要是|否则|否則|的话|取决于|根据结果|视结果|看结果|若(?!干)|一旦|倘|万一|萬一|除非|不然|了就"
    r"|(?<![同及随隨当當小实實])[时時](?=[查看列显顯给給请請就,，])|(?<!あ)たら(?![しこ])|もし|なら|れば、|場合"
    r"|なければ"
    r"|次第|に応じて|(?<!例)(?<!たと)[えけげせてねべめれ]ば(?!ん)|ない限り|さもな|만약|[오하되이없있으나]면(?!\w)"
    r"|이면|다면"
    r"|라면|경우|에 따라|아니면|그렇지 않|(?<=[을를할일될질])\s?때[는만엔에]"
)
# What a rule tells the agent to do: to look up, read, check or ask.
# Words that are nouns as often, such as "Frage" or "consulta", count only with what follows a verb.
_LOOKS_UP = CaselessPattern(
    r"(?<!\w)(?:(?:[üu]ber)?pr[uü]fe?n?|siehe?|schaue?n?|schlage?|suchen?|lie?se?n?|holen?|ermittle|[öo]ffne"
    r"|(?:ruf|frag)e? (?:an|ab|nach|bei|de[nrm]|d[ai]s|die)"
    r"|consulte[rz]?|v[eé]rifie[rz]?|regarde[rz]?|cherche[rz]?|appelle[rz]?|demandez|contr[oô]lez"
    r"|consultar|consult[ae] (?:el|las?|los?|[ao]s?|anche|il|tambi[eé]n|tamb[eé]m|adem[aá]s)"
    r"|comprueb[ae]|comprobar|revis[ae]r?|verifi[cq]u?[aei]r?|busc(?:a|ar|que)|obt[eé]n|llam[ae]|pregunt[ae] (?:a|por)"
    r"|controll[ai]re?|cerc[ai]|recuper[ai]|chied[ai]|chiam[ai]|procur[ae]r?|pesquis[ae]r?|chec(?:a|ar|que)"
    r"|controleer|kijk|zoek|raadpleeg|vraag (?:ook|na|op|de|het)|haal|lees"
    r"|kontroll?er[ae]?|sjekk|tjek|s[oö]k|sl[åa]|hent|h[äa]mta"
    r"|sprawd[źz]|znajd[źz]|wyszukaj|zkontroluj|ov[ěe][řr]|vyhledej|провер\w+|посмотри\w*|на[йи]ди\w*|запро\w+"
    r"|поищи\w*|узна[йи]\w*"
    r"|kontrol et|sorgula|ara)(?!\w)|查询|查詢|检查|檢查|查看|搜索|搜尋|调用|核实|确认|確認|検索|調べ|照会|参照|呼び出"
    r"|확인|조회|검색|호출",
)
_BOUND = CaselessPattern(
    r"(?<!\w)(?:[üu]ber|unter|mehr als|weniger als|mindestens|h[öo]chstens|plus de|moins de|m[aá]s de|menos de"
    r"|pi[uù] di"
    r"|meno di|mais de|meer dan|minder dan|boven|onder|mer [äa]n|mere end|mer enn|больше|меньше|свыше|более) \W{0,2}\d"
    r"|(?:超过|超過|高于|低于|少于|多于)\W{0,2}\d|\d\S{0,6}(?:以上|以下|を超|を下回|초과|이상|이하|미만)",
)
# What the user says or wants, or what the agent knows itself, is known before the first call.
_KNOWN_BEFORE = CaselessPattern(
    r"(?<!\w)(?:(?:be)?nutzer\w*|anwender\w*|utilisat(?:eur|rice)s?|usuari[oa]s?|utent[ei]|usu[aá]ri[oa]s?|gebruikers?"
    r"|anv[äa]ndare\w*|bruker\w*|u[zž]ytkowni\w+|u[zž]ivatel\w*|kullan[ıi]c[ıi]\w*|пользовател\w+"
    r"|(?:wenn|falls) (?:n[oö]tig|erforderlich|du|sie|ihr|man)|si (?:n[eé]cessaire|besoin|tu|vous|on|l'on)"
    r"|si (?:es necesario|hace falta|no sabes|tienes|necesitas)|se (?:necess[aá]rio|n[aã]o sabe\w*|non sai|serve)"
    r"|als (?:je|u|nodig)|om (?:du|n[öo]dv[äa]ndigt)|hvis (?:du|nødvendig)|если (?:ты|вы|нужно|необходимо))(?!\w)"
    r"|用户|用戶|ユーザ|사용자|必要|不知道|わからな|분からな|모르",
)
# Armenian, Bengali to Sinhala, Lao to Georgian, Ethiopic and Khmer: no words of theirs are known here.
_UNKNOWN_SCRIPT = LazyPattern(r"[\u0530-\u058f\u0980-\u0dff\u0e80-\u10ff\u1200-\u139f\u1780-\u17ff]")
_LATIN = LazyPattern("[a-zA-Z]")


def has_foreign_condition(sentence: str) -> bool:
    """
    Return whether a *sentence* in another language has a condition, other than a polite one or a question.

    In a script without known words, it may have one.

    >>> has_foreign_condition("Falls es regnet, zeig mir Museen"), has_foreign_condition("Zeig es mir, wenn möglich")
    (True, False)
    """
    sentence = composed(sentence)
    if _UNKNOWN_SCRIPT.search(sentence) and len(_UNKNOWN_SCRIPT.findall(sentence)) > len(_LATIN.findall(sentence)):
        return True
    return _is_conditional(sentence) and _is_conditional(_POLITE.sub(" ", sentence))


def _is_conditional(sentence: str) -> bool:
    return _CONDITION.search(sentence) or (not sentence.isascii() and _IN_OTHER_SCRIPTS.search(sentence))


def has_foreign_rule(sentence: str, *, conditional: bool) -> bool:
    """
    Return whether a *sentence* of a system prompt in another language says what to look up in which case.

    Args:
        sentence: The sentence.
        conditional: What `has_foreign_condition` returns for it.

    >>> has_foreign_rule("Wenn der Nutzer fragt, suche danach.", conditional=True)
    False
    >>> has_foreign_rule("Wenn eine Bestellung über 500 EUR liegt, prüfe die Bonität.", conditional=True)
    True
    """
    sentence = composed(sentence)
    return (
        (conditional or _BOUND.search(sentence)) and _LOOKS_UP.search(sentence) and not _KNOWN_BEFORE.search(sentence)
    )
