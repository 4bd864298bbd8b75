"""Recognises answers, denials, errors and comparisons in other languages, by a few frequent words."""

# ruff: noqa: RUF001 - letters of other alphabets are meant

from __future__ import annotations

from otel_parallelism.patterns import CaselessPattern

from .letters import composed

_LONGEST_DENIAL = 80
_MOST_WORDS = 8
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
    ausgebucht belegt vergriffen complet complète épuisée fermée annulée lleno llena completo
    chiuso annullato esaurito geweigerd gesloten недоступно отклонён 不可用 已取消 缺货 売り切れ
    """.split()  # noqa: SIM905 - likewise
)


def foreign_answer(text: str) -> bool | None:
    """
    Return whether *text* is a yes or a good status in another language, or else a denial; None if it is neither.

    >>> foreign_answer("Ja."), foreign_answer("Keine Bestellung gefunden"), foreign_answer("見つかりませんでした")
    (True, False, False)
    >>> foreign_answer("Ausverkauft, wieder ab Montag"), foreign_answer("complet jusqu'à 21 h")
    (False, False)
    >>> foreign_answer("Regen am Fjord") is None
    True
    """
    bare = text.strip().strip(".!。！'\"").casefold()
    words = bare.split(maxsplit=_MOST_WORDS)
    if bare in _POSITIVE or bare in {"sí", "sì"}:
        return True
    negative = bare in _NEGATIVE or (1 < len(words) <= _MOST_WORDS and words[0].strip(",;:") in _NEGATIVE)
    denies = negative or (len(bare) <= _LONGEST_DENIAL and _DENIES.search(bare))
    return False if denies else None


def begins_as_foreign_error(text: str) -> bool:
    """
    Return whether *text* begins with the word for an error in another language.

    >>> begins_as_foreign_error("Fehler: Zeit abgelaufen"), begins_as_foreign_error("Herr Fehler wohnt hier")
    (True, False)
    """
    return _ERROR.match(text)


def has_foreign_comparison(text: str) -> bool:
    """
    Return whether a *text* without accents compares, in another language: it asks which of several things, or for most.

    >>> has_foreign_comparison("Welche Stadt ist gunstiger?"), has_foreign_comparison("Wie ist das Wetter?")
    (True, False)
    """
    return _COMPARES.search(composed(text))
