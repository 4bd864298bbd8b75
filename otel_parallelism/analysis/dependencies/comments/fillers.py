"""Words that announce the next call, are polite or join other words, by language: they tell nothing of a result."""

from __future__ import annotations

from typing import Final

from otel_parallelism.patterns import LazyPattern

# Written without accents, as texts are compared. No word says how something is, or that something follows from it.
FILLERS: Final = tuple(
    frozenset(words.split())
    for words in (
        # English
        """
        a an the i we you your my our us me it its them their this that these those here what how and or of for in on at
        to from by with as about into per via plus up through both all each every other one two three ones same some
        rest last let s lets ll will would d m like need want going go can be able do doing now next then first firstly
        second secondly third final finally lastly also too well step steps part question questions request requested
        asked promised user thing things details detail information info data check checking look looking lookup get
        getting fetch fetching find finding pull pulling grab grabbing see search searching query querying read reading
        opening retrieve retrieving start starting begin beginning continue continuing proceed moving view viewing list
        listing gather gathering collect collecting show ask asking compute computing calculate calculating compare
        comparing current currently latest please moment come comes coming
        """,
        # German
        """
        ich wir sie ihnen ihre mir uns es der die das den dem des ein eine einen einer und oder von vom zu zum zur nach
        fur in im auf mit bei an ab als noch auch beide beiden andere anderen letzte nun jetzt dann zuerst zunachst
        danach nachste nachsten nachstes schliesslich schaue schauen sehe suche prufe hole lese frage rufe offne
        ermittle weiter mal bitte moment lasst lass
        """,
        # French
        """
        je nous vous votre vos le la les l un une des du de d et ou pour par au aux a en sur dans ce cette ces celui
        celle ceux celles autre deux vais allons regarde regardons cherche verifie consulte recherche voyons commence
        passons ensuite maintenant puis enfin aussi egalement d abord premier premiere prochain suivant verifier
        regarder chercher consulter voir s il plait
        """,
        # Spanish
        """
        yo te le su sus el la los las lo un una de del y e o para por a al en con que otro otra dos voy vamos consultar
        consulto buscar busco mirar miro ver veo veamos revisar reviso ahora luego despues primero segundo ultimo
        finalmente tambien siguiente empiezo favor
        """,
        # Italian
        """
        io il lo la i gli le l un una di del dello della dei degli delle d e ed o per a al alla ai in su con che altro
        altra due questo questa vado vediamo cerco cercare guardo controllo controllare ora adesso poi dopo prima
        infine anche prossimo favore
        """,
        # Portuguese
        """
        eu o a os as um uma de do da dos das e ou para por em no na nos nas com que outro outra dois duas vou vamos
        consultar consulto buscar busco ver vejo verificar verifico agora depois primeiro segundo finalmente tambem
        proximo favor
        """,
        # Dutch
        """
        ik we u je de het een van voor naar en of in op met bij aan ook nog andere beide kijk zoek haal lees controleer
        nu dan daarna eerst vervolgens tenslotte volgende alsjeblieft even
        """,
        # Swedish, Norwegian and Danish
        """
        jag jeg vi du dig deg en ett et den det de og och till til for fra fran i pa med av af om ocksa ogsa andra andre
        nu na sa sedan deretter derefter forst sist nasta neste naeste ser soker henter hamtar sjekker kollar tittar
        """,
        # Russian
        """
        я мы вам вас для и или в во на по к из также тоже теперь затем потом сначала далее наконец смотрю
        посмотрю проверю проверяю ищу узнаю получу запрошу другои следующии
        """,
    )
)

ACKNOWLEDGEMENTS: Final = frozenset(
    """
    ok okay great perfect good excellent nice thanks thank sure alright done got absolutely certainly course wonderful
    lovely happy glad help hello hi hold on waiting patience gut danke super gerne merci bien parfait gracias perfecto
    bueno grazie perfetto bene obrigado perfeito hartelijk dank tack takk tak хорошо спасибо
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
"""Words at the beginning of a sentence that say only that a result came, or that are polite."""

PLANS: Final = frozenset(
    """
    now next then finally lastly also let ll will jetzt nun dann ich als je maintenant ensuite puis enfin ahora luego
    voy vamos ora adesso poi agora depois vou ik nu dan jag jeg теперь затем
    """.split()  # noqa: SIM905 - likewise
)
"""Words at the beginning of a sentence that says what is to be done."""

CAUSES: Final = frozenset(
    """
    since because so given due therefore thus hence why whether if unless instead but however although though seems
    seem apparently unfortunately not no weil da denn deshalb daher wenn ob nicht kein car puisque donc si parce pas
    porque pues entonces perche poiche quindi dunque se pois entao omdat dus fordi eftersom niet inte ikke потому
    поскольку так поэтому если не нет
    """.split()  # noqa: SIM905 - likewise
)
"""Words that join a cause and what follows from it, or deny something."""

IN_OTHER_SCRIPTS: Final = LazyPattern(
    r"接下来|接着|现在|首先|其次|然后|最后|另外|同样|同时|好的|谢谢|稍等|一下|我们?(?:来|会|将|再|先|需要)?|让我们?|为您|您|请"
    r"|查询|查找|查看|查一?查|搜索|看[一看]?看|读取|检查|获取|得到|继续|再|和|与|的|也|把|去|第[一二三四五]步?"
    r"|接下來|現在|最後|然後|讓我|查詢|獲取|檢查|次[に、は]?|続いて|確認|調べ|検索|取得|見[てま]|最初|了解|両方"
    # What ends words and sentences in Japanese, with its voicing marks apart.
    r"|それ|ます|まし(?:た|ょう)|くた\u3099さい|から|まて\u3099|を|は|か\u3099?|の|に|て\u3099?|も|へ|と|し"
)
"""Parts of Chinese and Japanese texts that are fillers."""
