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
_SHOWS = r"(?:zeig|lies|gib|hol|such|schau|pr[uü]f|nenn|ruf|[öo]ffn|nimm|find|brauch|m[oö]cht)\w*"
_SHOWS_RU = r"(?:покаж|да[йи]|на[йи]д|вывед|откро|провер|посмотр|прочит|пришл|назов)\w*"
_MORE = (
    # German
    r"|(?<!\w)(?:es sei denn|au[sß]+er wenn|vorausgesetzt|gegebenenfalls|ggf|notfalls|mangels|in ermangelung|im fall"
    r"|nur (?:bei|im falle?)|nur dann)(?!\w)|(?:^|[,;:.])\W*sollten? (?=[^.!?;]*,)"
    r"|(?:^|[,;:.])\W*(?:ist|sind|liegt|steht|wird|hat|fehlt|gibt|war|zeigt|f[äa]llt|steigt|bleibt|kommt|reicht)"
    r" [^,.!?;]{1,60}, (?:dann |so )?" + _SHOWS + r"(?!\w)"
    r"|(?:^|[,;:.])\W*bei (?!(?:de[rmn]|eine[rm]|uns|mir|euch|ihm|ihr)(?!\w))\w+,? " + _SHOWS + r"(?!\w)"
    # Dutch, Swedish, Danish and Norwegian
    r"|(?<!\w)(?:mocht(?:en)?|tenzij|mits|zo niet|zo ja|bij gebrek aan|s[aå]vida|f[oö]rutsatt|vid behov|i s[aå] fall"
    r"|i s[aå] fald|medmindre|med mindre|s[aå]fremt|dersom|forudsat|forutsatt)(?!\w)"
    r"|(?<!\w)om (?:\w+ ){1,2}(?:[äa]r|st[åa]r|blir|finns|har|visar|g[åa]r|kommer|ligger|regnar|sn[öo]ar"
    r"|r[äa]cker|saknas|inte)(?!\w)"
    # French
    r"|(?<!\w)(?:[aà] moins (?:que|qu'|de)|faute d|pourvu qu|[aà] condition|[aà] d[eé]faut|sauf (?:si|en cas)"
    r"|le cas [eé]ch[eé]ant|dans ce cas|d[eè]s qu|uniquement en cas|seulement en cas)"
    # Spanish, Italian and Portuguese
    r"|(?<!\w)(?:a no ser que|salvo (?:que|si|se|che)|a menos que|a falta de|en su defecto|siempre (?:que|y cuando)"
    r"|con tal de que|en ese caso|de (?:no )?(?:haber|estar|ser as[ií])|cuando (?:est[eé]n?|haya|sean?|salga|suba|baje"
    r"|llegue|tenga|falte)|a meno che|in (?:mancanza|assenza) di|purch[eé]|a patto che|a condizione|salvo che|nel caso"
    r"|in tal caso|a n[aã]o ser que|na falta de|na aus[eê]ncia|desde que|contanto que|nesse caso|exceto se"
    r"|quando (?:estiver|houver|for|faltar))(?!\w)"
    # Slavic languages
    r"|(?<!\w)(?:в (?:противном|таком|этом) случае|кроме случаев|разве что|у разі|в разі|(?:при|за) (?:(?:его"
    r"|е[ёе]|ее|их)"
    r" )?(?:отсутств|нехватк|наличи|превышен|необходимост|ошибк|сбо|недостат|відсутност|нестач|потреб)\w*"
    r"|gdyby|o ile|chyba [żz]e|w (?:przeciwnym|takim) razie|w (?:razie|przypadku)|pod warunkiem|kdyby|leda[zž]e"
    r"|v opa[cč]n[eé]m p[rř][ií]pad[eě]|keby|inak)(?!\w)"
    r"|(?:^|[,;:.—–-]|(?<!\w)[аи] )\W*при \w+ (?:\w+ )?" + _SHOWS_RU + r"|[—–]\s*(?:то |тогда )?" + _SHOWS_RU +
    # Turkish, Hungarian, Finnish, Romanian, Greek, Vietnamese and Malay
    r"|(?<!\w)(?:(?!\w*(?:vers|pers|mers|pars|oars|ears))\w{2,}[ae]rs[ae]|(?:bo[şs]|dolu|yok|a[çc]ık|kapalı|az"
    r"|[çc]ok|fazla|d[üu][şs][üu]k|y[üu]ksek|hazır|uygun|de[ğg]il"
    r"|eksik)s[ae]"
    r"|\w+[ıiuü]ys[ae]|\w+(?:l[ıi]|s[ıi]z)ys[ae]|aksi (?:halde|takdirde)|[şs]ayet|takdirde|(?:[ée]s|de|vagy) ha"
    r"|ellei|muuten"
    r"|altfel|[îi]n caz|σε περ[ίι]πτωση|εκτ[όο]ς αν|trong tr[ưu][ờo]ng h[ợo]p|tr[ừu] khi|asalkan|seandainya"
    r"|kecuali|bilamana)(?!\w)"
    # Arabic, Persian, Hebrew, Hindi and Urdu
    r"|(?<!\w)(?:[وف]?إن (?:كان|كانت|وجد|لم|زاد|حدث|تجاوز)\w*|في حال(?:ة)?|عند (?:نفاد|عدم|غياب|وجود)|ما لم|وإلا"
    r"|شريطة|در صورت|במקרה|होने पर|हो तो|ہو(?:ئی|ا|ں)? تو)(?!\w)"
    # Chinese, Japanese and Korean
    r"|若(?!干)|一旦|倘|万一|萬一|除非|不然|了就|(?<![同及随隨当當小实實])[时時](?=[查看列显顯给給请請就,，])"
    r"|(?<!例)(?<!たと)[えけげせてねべめれ]ば(?!ん)|ない限り|さもな|아니면|그렇지 않"
    r"|(?<=[을를할일될질을])\s?때[는만엔에]"
)
_CONDITION = CaselessPattern(
    r"(?<!\w)(?:wenn|falls|sofern|andernfalls|ansonsten|sonst|sobald|sinon|au cas o[uù]|d[eè]s que|[aà] moins que|si"
    r"|s'ils?|annars|ellers"
    r"|im falle?|en cas d[e'u]\w*|en caso de|em caso de|in caso d\w+|in geval van|w razie|w przypadku"
    r"|v p[rř][ií]pad[eě]|в случае"
    r"|de lo contrario|hasta que|altrimenti|finch[eé]|sen[aã]o|caso contr[aá]rio|indien|anders|hvis"
    r"|seg[uú]n (?:lo|el resultado|los resultados|si|c[oó]mo|haya|salga|sea|est[eé])|dependiendo|selon (?:ce|que|si"
    r"|l[ea]s? (?:r[eé]sultats?|r[eé]ponses?))|je nachdem|je nach (?:dem|ergebnis|antwort|stand|lage)|abh[aä]ngig von"
    r"|a seconda|in base a(?:l|lla|i)? (?:risultat[oi]|risposta|quello)|dependendo|consoante|afhankelijk|beroende p[aå]"
    r"|avhengig|afh[aæ]ngigt?|alt etter|w zale[zż]no[sś]ci|zale[zż]nie|в зависимости|sonucuna g[oö]re"
    r"|n[eế]u|kalau|jika|apabila|jos|mik[aä]li|якщо|ако|ukoliko|ako|pokud|jestli(?:[zž]e)?|kdy[zž]|dac[aă]"
    r"|jei|kui|juhul"
    r"|qualora|ikiwa|[αά]ν|ε[αά]ν|ו?אם|במידה|اگر|چنانچه"
    r"|je[sś]li|je[zż]eli|если|иначе|e[gğ]er|yoksa|varsa|olursa|ise|\w+(?:yorsa|m[ae]zs[ae]|[ıü]rs[ae]|ıysa"
    r"|iyse|uysa|[üu]yse)"
    r"|[وف]?(?:إذا|لو)|अगर|यदि)(?!\w)"
    r"|(?:^|[,;:])\W*(?:se|als|om|ifall|ha|skulle|caso) "
    + _MORE
    + r"|ถ้า|หาก|(?<!あ)たら(?![しこ])|如果|假如|要是|否则|否則|的话|もし|なら|れば、|場合|なければ|만약"
    r"|[오하되이없있으나]면(?!\w)|이면|다면|라면|경우"
    r"|에 따라|取决于|根据结果|视结果|看结果|次第|に応じて",
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
    return _CONDITION.search(sentence) and _CONDITION.search(_POLITE.sub(" ", sentence))


def has_foreign_rule(sentence: str) -> bool:
    """
    Return whether a *sentence* of a system prompt in another language says what to look up in which case.

    >>> has_foreign_rule("Liegt der Wert vor, antworte."), has_foreign_rule("Wenn der Nutzer fragt, suche danach.")
    (False, False)
    >>> has_foreign_rule("Wenn eine Bestellung über 500 EUR liegt, prüfe die Bonität.")
    True
    """
    sentence = composed(sentence)
    conditional = has_foreign_condition(sentence) or _BOUND.search(sentence)
    return conditional and _LOOKS_UP.search(sentence) and not _KNOWN_BEFORE.search(sentence)
