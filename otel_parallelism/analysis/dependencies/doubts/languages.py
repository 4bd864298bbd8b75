"""Recognises answers, denials, errors, conditions and comparisons in other languages, by a few frequent words."""

# ruff: noqa: RUF001 - letters of other alphabets are meant

from __future__ import annotations

import re

from otel_parallelism.patterns import CaselessPattern, LazyPattern

_LONGEST_DENIAL = 80
_DENIES = CaselessPattern(
    r"(?<!\w)(?:kein(?:e|en|er|em|es)?|nicht|nichts|nie|leider|aucune?|pas|rien|introuvable|ning[uú]na?|nada|sin"
    r"|inexistente|inexistante?|agotad[oa]|nenhuma?|n[aã]o|sem|nessun[oa]?|niente|geen|niet|niets|inget|inga|inte"
    r"|ingen|ikke|intet|ei (?:ole|löydy|löytynyt)|brak|nenalezen[aoy]?|žádn[ýáé]|не|нет|ничего|нема|yok|değil"
    r"|bulunamadı|tidak|không"
    r"|لا|لم|غير|ليس|नहीं)(?!\w)"
    r"|[未没沒無无]|不存在|不可|不能|ません|ない(?!\w)|なし(?!\w)|없|않|못",
)
_ERROR = CaselessPattern(
    r"\W*(?:(?:fehler|fehlgeschlagen|zeitüberschreitung|erreur|échec|erro|errore|fout|błąd|ошибка|hata|virhe|fejl"
    r"|خطأ|त्रुटि)(?!\w)|错误|錯誤|失败|失敗|超时|エラー|오류|실패)",
)
_POLITE = LazyPattern(
    r"(?<!\w)(?:wenn (?:m[oö]glich|du |sie |ihr |ich |wir )|s'il (?:vous|te) pla[iî]t|si (?:possible|tu |vous |je |on )"
    r"|si (?:es posible|puedes|puede)|se (?:possibile|poss[ií]vel|puoi|pu[oò]|voc[eê]|puder)"
    r"|(?:v[eé]rifiez?|dis[- ]moi|dites[- ]moi|savoir|regardez?|demandez?|comprueba|verifica|dime|saber|mira|controlla"
    r"|dimmi|sapere|verifique|diga) (?:me )?s[ie])(?!\w)|如果(?:可以|可能|方便)",
    re.IGNORECASE,
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
    r"|n[eế]u|kalau|jika|apabila|jos|mik[aä]li|якщо|ако|ukoliko|ako|pokud|jestli(?:[zž]e)?|kdy[zž]|dac[aă]|jei|kui|juhul"
    r"|qualora|ikiwa|[αά]ν|ε[αά]ν|ו?אם|במידה|اگر|چنانچه"
    r"|je[sś]li|je[zż]eli|если|иначе|e[gğ]er|yoksa|varsa|olursa|ise|\w+(?:yorsa|m[ae]zs[ae]|[ıü]rs[ae]|ıysa|iyse|uysa|üyse)"
    r"|[وف]?(?:إذا|لو)|अगर|यदि)(?!\w)"
    r"|(?:^|[,;:])\W*(?:se|als|om|ifall|ha|skulle|caso) "
    r"|ถ้า|หาก|(?<!あ)たら(?![しこ])|如果|假如|要是|否则|否則|的话|もし|なら|れば、|場合|なければ|만약|[오하되이없있으나]면(?!\w)|이면|다면|라면|경우"
    r"|에 따라|取决于|根据结果|视结果|看结果|次第|に応じて",
)
_IN_TURN = CaselessPattern(
    r"(?<!\w)(?:nacheinander|der reihe nach|l'une? apr[eè]s l'autre|un[oa] tras otr[oa]|uma? depois d[oa] outr[oa]"
    r"|un[oa] dopo l'altr[oa]|na elkaar|efter varandra|efter hinanden|etter hverandre|po kolei|по очереди"
    r"|друг за другом|s[ıi]rayla)(?!\w)|依次|按顺序|順番に|차례로",
)
# What a rule tells the agent to do: to look up, read, check or ask.
# Words that are nouns as often, such as "Frage" or "consulta", count only with what follows a verb.
_LOOKS_UP = CaselessPattern(
    r"(?<!\w)(?:(?:über)?pr[uü]fe?n?|siehe?|schaue?n?|schlage?|suchen?|lie?se?n?|holen?|ermittle|öffne"
    r"|(?:ruf|frag)e? (?:an|ab|nach|bei|de[nrm]|d[ai]s|die)"
    r"|consulte[rz]?|v[eé]rifie[rz]?|regarde[rz]?|cherche[rz]?|appelle[rz]?|demandez|contr[oô]lez"
    r"|consultar|consult[ae] (?:el|las?|los?|[ao]s?|anche|il|tambi[eé]n|tamb[eé]m|adem[aá]s)"
    r"|comprueb[ae]|comprobar|revis[ae]r?|verifi[cq]u?[aei]r?|busc(?:a|ar|que)|obt[eé]n|llam[ae]|pregunt[ae] (?:a|por)"
    r"|controll[ai]re?|cerc[ai]|recuper[ai]|chied[ai]|chiam[ai]|procur[ae]r?|pesquis[ae]r?|chec(?:a|ar|que)"
    r"|controleer|kijk|zoek|raadpleeg|vraag (?:ook|na|op|de|het)|haal|lees"
    r"|kontroll?er[ae]?|sjekk|tjek|s[oö]k|slå|hent|hämta"
    r"|sprawdź|znajdź|wyszukaj|zkontroluj|ověř|vyhledej|провер\w+|посмотри\w*|найди\w*|запро\w+|поищи\w*|узнай\w*"
    r"|kontrol et|sorgula|ara)(?!\w)|查询|查詢|检查|檢查|查看|搜索|搜尋|调用|核实|确认|確認|検索|調べ|照会|参照|呼び出"
    r"|확인|조회|검색|호출",
)
_BOUND = CaselessPattern(
    r"(?<!\w)(?:über|unter|mehr als|weniger als|mindestens|höchstens|plus de|moins de|m[aá]s de|menos de|pi[uù] di"
    r"|meno di|mais de|meer dan|minder dan|boven|onder|mer än|mere end|mer enn|больше|меньше|свыше|более) \W{0,2}\d"
    r"|(?:超过|超過|高于|低于|少于|多于)\W{0,2}\d|\d\S{0,6}(?:以上|以下|を超|を下回|초과|이상|이하|미만)",
)
# What the user says or wants, or what the agent knows itself, is known before the first call.
_KNOWN_BEFORE = CaselessPattern(
    r"(?<!\w)(?:(?:be)?nutzer\w*|anwender\w*|utilisat(?:eur|rice)s?|usuari[oa]s?|utent[ei]|usu[aá]ri[oa]s?|gebruikers?"
    r"|användare\w*|bruker\w*|u[zž]ytkowni\w+|u[zž]ivatel\w*|kullan[ıi]c[ıi]\w*|пользовател\w+"
    r"|(?:wenn|falls) (?:n[oö]tig|erforderlich|du|sie|ihr|man)|si (?:n[eé]cessaire|besoin|tu|vous|on|l'on)"
    r"|si (?:es necesario|hace falta|no sabes|tienes|necesitas)|se (?:necess[aá]rio|n[aã]o sabe\w*|non sai|serve)"
    r"|als (?:je|u|nodig)|om (?:du|nödvändigt)|hvis (?:du|nødvendig)|если (?:ты|вы|нужно|необходимо))(?!\w)"
    r"|用户|用戶|ユーザ|사용자|必要|不知道|わからな|분からな|모르",
)
# Armenian, Bengali to Sinhala, Lao to Georgian, Ethiopic and Khmer: no words of theirs are known here.
_UNKNOWN_SCRIPT = LazyPattern(r"[\u0530-\u058f\u0980-\u0dff\u0e80-\u10ff\u1200-\u139f\u1780-\u17ff]")
_LATIN = LazyPattern("[a-zA-Z]")
# In texts without accents.
_COMPARES = CaselessPattern(
    r"(?<!\w)(?:welche[rsnm]?|vergleich\w*|besser\w*|beste\w*|am \w+sten|cual(?:es)?|mas|menos|mejor(?:es)?|peor"
    r"|compar\w+|qua(?:l|is|le|li)|mais|melhor|piu|meno|migliore|peggiore|quel(?:le)?s?|plus|moins|meilleure?s?|pire"
    r"|welke|beste|meest\w*|minst\w*|vilke[nt]|hvilke[nt]|какои|какая|какое|сам(?:ыи|ая|ое)|больше|меньше|лучш\w+"
    r"|ktory|ktora|ktore|naj\w+|hangi\w*)(?!\w)|[哪最更]|比较|比較|对比|どちら|一番|より|어느|가장",
)
_POSITIVE = frozenset(
    """
    ja oui si sim da tak evet igen hai ano да はい 是 是的 对 有 可以 예 네 نعم हाँ
    abgeschlossen offen genehmigt bezahlt verfügbar aktiv bereit fertig erledigt erlaubt freigegeben gültig geöffnet
    autorisé autorisée disponible payé payée terminé terminée ouvert actif valide approuvé approuvée
    autorizado autorizada aprobado aprobada pagado pagada abierto abierta activo activa completado completada
    disponível aprovado aprovada pago aberto ativo concluído autorizzato disponibile pagato aperto attivo completato
    beschikbaar betaald actief goedgekeurd доступно оплачен активен 已完成 已付款 可用 完了 利用可能
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
_NEGATIVE = frozenset(
    """
    nein non nej nee não nie нет hayır nem いいえ 否 不 不是 아니요 아니오 لا
    geschlossen abgelehnt unbezahlt gesperrt inaktiv storniert ausverkauft verboten ungültig ausstehend
    refusé refusée indisponible impayé fermé inactif invalide annulé épuisé rechazado rechazada cerrado cerrada
    inactivo cancelado cancelada pendiente denegado indisponível recusado fechado inativo pendente negado rifiutato
    chiuso annullato esaurito geweigerd gesloten недоступно отклонён 不可用 已取消 缺货 売り切れ
    """.split()  # noqa: SIM905 - likewise
)


def foreign_answer(text: str) -> bool | None:
    """
    Return whether *text* is a yes or a good status in another language, or else a denial; None if it is neither.

    >>> foreign_answer("Ja."), foreign_answer("Keine Bestellung gefunden"), foreign_answer("見つかりませんでした")
    (True, False, False)
    >>> foreign_answer("Regen am Fjord") is None
    True
    """
    bare = text.strip().strip(".!。！'\"").casefold()
    if bare in _POSITIVE or bare in {"sí", "sì"}:
        return True
    denies = bare in _NEGATIVE or (len(bare) <= _LONGEST_DENIAL and _DENIES.search(bare))
    return False if denies else None


def begins_as_foreign_error(text: str) -> bool:
    """
    Return whether *text* begins with the word for an error in another language.

    >>> begins_as_foreign_error("Fehler: Zeit abgelaufen"), begins_as_foreign_error("Herr Fehler wohnt hier")
    (True, False)
    """
    return _ERROR.match(text)


def has_foreign_order(text: str) -> bool:
    """
    Return whether *text* asks in another language for one thing after another.

    >>> has_foreign_order("Frage n1 und n2 nacheinander ab"), has_foreign_order("Fragen n1 und n2")
    (True, False)
    """
    return _IN_TURN.search(text)


def has_foreign_condition(sentence: str) -> bool:
    """
    Return whether a *sentence* in another language has a condition, other than a polite one or a question.

    In a script without known words, it may have one.

    >>> has_foreign_condition("Falls es regnet, zeig mir Museen"), has_foreign_condition("Zeig es mir, wenn möglich")
    (True, False)
    """
    sentence = _composed(sentence)
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
    sentence = _composed(sentence)
    conditional = has_foreign_condition(sentence) or _BOUND.search(sentence)
    return conditional and _LOOKS_UP.search(sentence) and not _KNOWN_BEFORE.search(sentence)


def has_foreign_comparison(text: str) -> bool:
    """
    Return whether a *text* without accents compares, in another language: it asks which of several things, or for most.

    >>> has_foreign_comparison("Welche Stadt ist gunstiger?"), has_foreign_comparison("Wie ist das Wetter?")
    (True, False)
    """
    return _COMPARES.search(_composed(text))


def _composed(text: str) -> str:
    """Return *text* with the letters of Korean and Japanese put together; marks that were taken off stay off."""
    if text.isascii():
        return text
    from unicodedata import normalize  # noqa: PLC0415 - a large table, which few programs need

    return normalize("NFC", text)
