"""The words that distinguish a plain request from another sentence in languages other than English, without accents."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import msgspec


class Language(msgspec.Struct, kw_only=True, dict=True, eq=False):
    """
    The words of a language.

    Attributes:
        openers: Words that begin a request.
        wishes: Words that begin one after a word for "I" or "we".
        persons: The words for "I" and "we".
        polite: Words before a request that say nothing of it.
        joining: Prepositions and conjunctions.
        starting_a_case: Those that may begin a condition: "bei Nebel".
        determiners: Articles and pronouns before a noun.
        telling: Words that make a sentence of a list of things.
        risky: Words by which a condition, a reason or a reserve can be said.
        endings: Endings of verbs that suppose something.
        describes_after: Whether a word after a noun may describe it: "museo antiguo".
    """

    openers: frozenset[str]
    wishes: frozenset[str]
    persons: frozenset[str]
    polite: frozenset[str]
    joining: frozenset[str]
    starting_a_case: frozenset[str]
    determiners: frozenset[str]
    telling: frozenset[str]
    risky: frozenset[str]
    endings: tuple[str, ...] = ()
    describes_after: bool = True

    @cached_property
    def joins(self) -> frozenset[str]:
        """The words that join things in a list."""
        return self.joining | self.determiners | self.telling | self.polite | self.starting_a_case

    @cached_property
    def words(self) -> frozenset[str]:
        """All words that tell the language."""
        return self.joins | self.openers | self.wishes | self.persons | self.risky


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GERMAN: Final = Language(
    openers=_words(
        """
        zeig zeige zeigen gib gebe geben nenn nenne such suche finde find hol hole lies lese schau schaue pruf prufe
        vergleich vergleiche sag sage liste ruf rufe offne lade ermittle berechne zahl zahle erstell erstelle fass fasse
        beschreib beschreibe stell stelle besorg besorge schick schicke was wie wer wann wo welche welcher welches
        welchen wieviel wieviele woher wohin ist sind hat haben gibt kostet kosten lauft kann kannst konnen konntest
        wurdest steht stehen
        """
    ),
    wishes=_words(
        "brauche brauchen brauchte brauchten mochte mochten will wollen hatte hatten suche suchen plane planen bin sind"
        " habe"
    ),
    persons=_words("ich wir"),
    polite=_words(
        "bitte hallo hi guten tag morgen danke und auch dann zuerst erst danach ausserdem zudem noch nun also"
    ),
    joining=_words(
        "von vom in im am an aus zu zum zur nach fur auf zwischen und oder sowie plus pro per ab um seit bis"
    ),
    starting_a_case=_words("bei mit unter uber gegen trotz"),
    determiners=_words(
        "der die das den dem des ein eine einen einem einer eines mein meine meinen meiner unser unsere unseren mir uns"
        " dir ihm ihr ihre sein seine dieser diese dieses diesen"
    ),
    telling=_words("ist sind war wird werden hat haben was wer wann wo welche dass ich wir du sie er es man"),
    risky=_words(
        """
        wenn falls sofern sonst ansonsten andernfalls nur ohne ausser lieber eher ware waren wurde wurden konnte konnten
        durfte sollte sollten musste mussten muss tut aber sondern doch trotzdem notfalls sobald bevor nachdem solange
        wahrend weil denn deshalb daher damit mangels statt anstatt kein keine keinen nicht nichts nie niemand weder
        entweder vielleicht eventuell wohl heisst heißt bedeutet genug interessiert
        """
    ),
    describes_after=False,
)
FRENCH: Final = Language(
    openers=_words(
        """
        montre montrez donne donnez dis dites cherche cherchez trouve trouvez liste listez affiche affichez regarde
        regardez lis lisez compare comparez verifie verifiez recupere recuperez envoie calcule calculez resume resumez
        decris ouvre ouvrez quel quelle quels quelles quand ou comment combien qui que quoi est sont est-ce y peux peut
        pouvez pourriez pourrais donne-moi dis-moi montre-moi montrez-moi donnez-moi dites-moi trouve-moi cherche-moi
        """
    ),
    wishes=_words("voudrais voudrions veux voulons aimerais aimerions souhaite cherche prepare vais allons ai suis"),
    persons=_words("je j nous"),
    polite=_words("bonjour salut merci s il te vous plait svp et aussi puis ensuite enfin d abord egalement"),
    joining=_words("de du des d a au aux en dans sur pour entre et ou ainsi que chez vers depuis plus"),
    starting_a_case=_words("par avec sous selon contre au-dela au-dessus"),
    determiners=_words(
        "le la les l un une mon ma mes notre nos votre vos son sa ses leur leurs ce cet cette ces me moi te lui"
    ),
    telling=_words("est sont etait a ont avait qui quoi dont quand comment combien je j tu elle on ils c y"),
    risky=_words(
        """
        si sinon sauf sans seulement uniquement ne n pas jamais rien aucun aucune personne ni mais cependant pourtant
        toutefois alors donc car puisque parce faute tant lorsque apres avant jusqu plutot peut-etre devrait
        serait trop assez encore deja c moins
        """
    ),
    endings=("rais", "rait", "raient", "rions", "riez"),
)
SPANISH: Final = Language(
    openers=_words(
        """
        muestra muestrame muestre dame deme dime digame busca buscame encuentra lista enumera mira lee compara comprueba
        verifica consulta obten calcula resume describe abre que cual cuales cuando donde como cuanto cuanta cuantos
        cuantas quien hay es son esta estan tiene tienen puedes podrias podria puede necesito necesitamos quiero
        queremos quisiera busco gustaria cuesta cuestan
        """
    ),
    wishes=_words("necesito quiero quisiera busco estoy vamos voy gustaria tengo planeo preparo"),
    persons=_words("yo me nos"),
    polite=_words("hola buenas buenos dias tardes noches gracias por favor y tambien luego despues primero ademas"),
    joining=_words("de del a al en para entre sobre y e o u desde junto mas por"),
    starting_a_case=_words("con segun ante bajo contra"),
    determiners=_words(
        "el la los las lo un una unos unas mi mis tu tus su sus nuestro nuestra este estos ese esa le se"
    ),
    telling=_words("es son era esta estan hay ha han tiene que cual quien cuando donde como cuanto yo me nos"),
    risky=_words(
        """
        si sino salvo excepto sin solo solamente no nunca nada nadie ningun ninguna ninguno ni pero aunque entonces pues
        porque ya falta hasta mientras apenas quizas quiza tampoco seria valdria serviria haria tendria iria
        preferiria querria deberia bastaria miraria convendria prefiero otro otra demasiado poco aun todavia menos
        """
    ),
)
ITALIAN: Final = Language(
    openers=_words(
        """
        mostra mostrami mostrate dammi dimmi cerca cercami trova trovami elenca leggi confronta controlla verifica
        calcola apri che chi quale quali quando dove come quanto quanta quanti quante sono c ha hanno puoi potresti
        vorrei voglio vogliamo cerco mi qual costa costano
        """
    ),
    wishes=_words("vorrei voglio cerco ho sto serve servono piacerebbe"),
    persons=_words("io mi noi"),
    polite=_words("ciao salve buongiorno grazie per favore e anche poi prima infine inoltre"),
    joining=_words(
        "di d del dello della dei degli delle a al alla ai in nel nella su per tra fra e ed o da dal dalla piu"
    ),
    starting_a_case=_words("con secondo sotto oltre contro"),
    determiners=_words("il lo la i gli le l un uno una mio mia miei nostro nostra suo sua questo questa mi ci ti"),
    telling=_words("sono era ha hanno che chi quale quando dove come quanto io noi c"),
    risky=_words(
        """
        se altrimenti salvo senza solo soltanto non mai niente nulla nessuno nessuna ne ma pero invece allora quindi
        perche poiche finche mentre appena forse preferisco troppo ancora gia meno altro altra basta
        """
    ),
    endings=("rebbe", "rebbero", "remmo", "resti"),
)
PORTUGUESE: Final = Language(
    openers=_words(
        """
        mostra mostre mostra-me diga diga-me da-me busque procure encontre liste leia compare verifique consulte calcule
        que qual quais quando onde como quanto quanta quantos quantas quem ha sao esta estao tem pode poderia preciso
        quero queria gostaria custa custam me
        """
    ),
    wishes=_words("preciso quero queria gostaria estou vou tenho procuro"),
    persons=_words("eu nos me"),
    polite=_words("ola oi bom dia boa tarde obrigado obrigada por favor e tambem depois primeiro alem disso"),
    joining=_words("de do da dos das a ao as em no na nos nas para por entre sobre e ou desde mais"),
    starting_a_case=_words("com segundo sob contra"),
    determiners=_words("o os um uma uns umas meu minha meus nosso nossa seu sua este esta esse essa me lhe"),
    telling=_words("sao era esta estao ha tem que qual quem quando onde como quanto eu"),
    risky=_words(
        """
        se senao salvo exceto sem so somente apenas nao nunca nada ninguem nenhum nenhuma nem mas porem entao pois
        porque ate enquanto talvez seria serviria valeria faria teria iria prefiro outro outra demais ainda ja
        menos
        """
    ),
)
DUTCH: Final = Language(
    openers=_words(
        """
        toon laat geef zoek vind lees kijk vergelijk controleer vertel noem haal bereken wat wie wanneer waar welke welk
        hoe hoeveel is zijn heeft hebben kan kun kunt kunnen wil kost kosten
        """
    ),
    wishes=_words("wil zoek heb plan ben zou"),
    persons=_words("ik we wij"),
    polite=_words(
        "hallo hoi dag goedemorgen bedankt dank alsjeblieft alstublieft graag en ook dan daarna eerst verder"
    ),
    joining=_words("van in op aan naar uit voor tussen en of per tot sinds om te"),
    starting_a_case=_words("bij met onder boven tegen"),
    determiners=_words("de het een mijn onze zijn haar hun dit deze die dat me mij ons je"),
    telling=_words("is zijn was waren heeft hebben wat wie wanneer waar welke hoe ik wij we er"),
    risky=_words(
        """
        als indien anders tenzij mits zonder alleen pas niet niets nooit niemand geen maar echter want omdat dus toch
        liever zou zouden moet moeten zodra voordat totdat nadat terwijl misschien eventueel genoeg betekent meer minder
        """
    ),
    describes_after=False,
)
LANGUAGES: Final = (GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE, DUTCH)
