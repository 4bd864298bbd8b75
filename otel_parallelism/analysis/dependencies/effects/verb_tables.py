"""Tables of the words in tool names: which verbs read, which write, and which words make a reading verb doubtful."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """
    Return the words of *text*.

    >>> sorted(word_set("get list"))
    ['get', 'list']
    """
    return frozenset(text.split())


READS = word_set(
    """
    get list search find fetch read query lookup look retrieve show view describe count calculate compute estimate
    check inspect analyze analyse summarize summarise compare explain extract filter measure ping preview sum translate
    detect classify recommend suggest peek stat status head diff grep glob ls cat pwd wc du whoami autocomplete is has
    contains exists uniq which geocode identify predict rank scan scrape transcribe tokenize embed parse multiply
    subtract divide
    """
)
"""Verbs of calls that change nothing, at the beginning of a name or after the name of a service."""

WRITES = word_set(
    """
    create update delete remove insert write send cancel modify replace rename upload publish submit kill terminate
    install uninstall enable disable activate deactivate approve reject assign unassign unsubscribe unregister save
    append overwrite drop truncate migrate revert rollback reset clear put mkdir rmdir rm mv cp chmod chown revoke
    grant unlock retweet unfollow begin reschedule checkin toggle adjust click navigate reboot shutdown subscribe
    register execute buy resolve add edit restart
    """
)
"""Verbs that are seldom nouns. Anywhere in a name, they mean that a call may write."""

WRITES_OR_NOUNS = word_set(
    """
    move purchase pay charge refund transfer deploy run store merge commit push set touch lock invite follow close open
    start stop end trigger schedule checkout fill press type drive make
    """
)
"""Verbs that are often nouns: ``get_refund_status``, ``list_open_orders``. After a reading verb they mean nothing."""

WRITES_IN_FRONT = word_set(
    """
    book order post comment message reply share mark mail email call notify tweet reserve log login logout sign
    authenticate ship bid vote like rate report record archive
    """
)
"""Verbs that are nouns more often than not. They mean a write only at the beginning or after a conjunction."""

WRITES_AFTER_A_VERB = word_set(
    """
    increment decrement fix repair patch swap flush purge forward hold claim apply sync take consume pop dequeue ack
    acknowledge redeem acquire drain enqueue lease
    """
)
"""Verbs that mean little at the beginning (``apply_filter``), but a write after another verb."""

DOUBTFUL = WRITES | word_set(
    """
    increment decrement flush purge take consume pop dequeue ack acknowledge redeem acquire drain enqueue lease apply
    next more previous session state cursor queue mailbox buffer stdin clipboard inbox updates
    wait await until ask poll listen watch monitor advance rotate refresh reload renew upsert
    use connect disconnect login logout authenticate notify lock slot otp nonce into
    tab tabs window windows dom browser screen screenshot viewport mouse keyboard
    """
)
"""
Words after a reading verb that make its meaning doubtful: verbs that write, take, wait or ask, and words for what a
call may use up or move: a queue, a session, a cursor, a screen.
"""

ASKED_OF_A_PERSON = word_set(
    """
    human input approval confirmation consent feedback decision choice answer answers reply response signature
    permission
    """
)
"""Words for what a person is asked for, where nothing but a preposition follows: not ``get_approval_status``."""

PREPOSITIONS = word_set("from by for of on to with at in via")

STORES = word_set(
    "file files disk csv json pdf excel sheet db database table s3 bucket storage memory cache slack email user human"
)
"""What results are written to after ``to`` or ``as``: ``query_to_csv``."""

IN_USE = word_set("open opened active focused selected current this")
"""Words after a preposition for what an earlier call opened or chose: ``find_in_open_file``."""

SELECTED = word_set("selected focused highlighted adjacent adjoining preceding")
"""Words for what was chosen on a screen, or lies beside it, wherever they stand: ``get_selected_cell``."""

COUNTED_BY_USE = frozenset(
    {("view", "count"), ("click", "count"), ("visit", "count"), ("hit", "count"), ("access", "log"), ("audit", "log")}
)
"""Nouns for what other calls change by reading: ``get_view_count``."""

WORKPLACES = word_set(
    """
    page tab file document doc sheet worksheet workbook cell row column directory dir folder path branch selection view
    screen buffer window frame workspace namespace context chapter slide canvas layer editor schema form menu shell
    """
)
"""Nouns after ``current`` and its like for what an earlier call opened or chose: not ``get_current_price``."""

SIGNING_IN = word_set("login logins logout")
PAST = word_set("last latest recent first failed past")
"""Words after which signing in is what happened: ``get_last_login``."""

RESULTS = word_set("result results output outputs stdout stderr response responses selection findings content contents")
"""Nouns at the end of a name for what an earlier call left, where no argument says which one."""

ON_A_TIMETABLE = word_set(
    """
    departure departures arrival train bus ferry tram flight sailing appointment meeting event review round match game
    fixture race holiday birthday delivery payment deadline release shift lesson class lecture concert show sunrise
    sunset eclipse tide pass maintenance inspection election renewal date stop station
    """
)
"""Nouns after ``next`` and ``previous`` for what has a date: ``get_next_departure``, not ``get_next_task``."""

CHECKED_OFF = word_set("in out off on box boxes checkbox item items todo task option row cell all")
"""Words after ``check`` that make it mean arrive, leave or tick."""

SHOWN = word_set(
    """
    notification dialog popup modal toast alert message form screen prompt slide page panel sidebar card chart graph map
    overlay banner view scene frame picture image photo video layer widget menu tooltip highlight
    """
)
"""Words after ``show`` for what it puts on a screen."""

LOOKED = word_set("up for")
"""Words after ``look`` that make it a search; with others it is a movement: ``look_at``, ``look_left``."""

STATED = word_set("list object bucket file request tag commit lines rows blob")
"""Words after ``head`` where it asks for the beginning or the state of a thing."""

EMBEDDED = word_set("text texts query queries sentence sentences string strings input word words question prompt")
"""Words after ``embed`` where it returns vectors, and keeps none for a search."""

PACKED = word_set("archive archives zip tar gz package files")
"""Words after ``extract`` for what it unpacks into files."""

NOUNS_MOVED = WRITES | word_set("down up back")
"""Words after ``status``, ``count`` or ``head`` that do not let it mean reading: ``status_update``."""

SCREENS = word_set("browser playwright selenium puppeteer computer devtools desktop")
"""Words in the name of a server for what its tools act on."""

READS_OF_OBJECTS = {
    "convert": word_set(
        "currency currencies unit units temperature time timezone timezones weight length measurement number"
    ),
    "track": word_set("parcel package shipment order delivery container cargo flight vessel ship courier tracking"),
}
"""What follows verbs that read only then: what a calculation converts, and what is on its way."""

SCANNED = word_set("ticket badge qr barcode card pass in out item package")
"""Words after ``scan`` that make it mean registering a thing."""

TOKENS = word_set("token nonce captcha passcode")
"""Words after ``get`` or ``fetch``, at the end of a name, for what is made when a call asks for it."""

SINGLE_USE = frozenset({("one", "time"), ("single", "use")})
"""Words after ``get`` for what is made, or used up, when a call asks for it: ``get_one_time_link``."""

GENERIC = word_set(
    """
    run execute exec call invoke do perform send make issue use eval evaluate request submit http https rest api tool
    tools function action command commands cmd shell bash sh zsh terminal powershell console python javascript js node
    code script sql query queries statement graphql curl request requests url endpoint database db raw dynamic mcp
    postgres postgresql mysql sqlite duckdb snowflake bigquery redshift clickhouse oracle mssql athena trino presto
    subprocess process sandbox interpreter jupyter ipython fetch wget readonly cypher redis
    """
)
"""Words that say nothing about the effect: a tool whose name has no others does what its arguments say."""

SERVICES = word_set(
    """
    web internet online google bing brave tavily duckduckgo ddg serper serpapi exa perplexity kagi you wikipedia wiki
    wikidata arxiv pubmed semantic scholar crossref wolfram youtube reddit twitter x linkedin facebook instagram tiktok
    hackernews hn stackoverflow yelp tripadvisor maps osm openweather spotify imdb tmdb
    git github gitlab bitbucket jira confluence linear notion slack discord teams asana trello monday clickup airtable
    gmail outlook gdrive drive dropbox onedrive sharepoint gcal calendar hubspot salesforce zendesk intercom freshdesk
    servicenow stripe shopify paypal quickbooks xero sentry datadog pagerduty grafana prometheus loki newrelic splunk
    elastic elasticsearch opensearch kibana postgres postgresql mysql sqlite duckdb mongo mongodb redis snowflake
    bigquery clickhouse dynamodb neo4j qdrant pinecone weaviate chroma milvus supabase firebase s3 aws gcp azure k8s
    kubernetes kubectl docker helm terraform jenkins circleci npm pypi figma amadeus skyscanner expedia booking airbnb
    file files fs filesystem directory folder path code codebase repo repository symbol doc docs document documents
    documentation knowledge base kb rag vector semantic similarity hybrid keyword fulltext full text image images photo
    video news article articles blog academic paper papers patent legal medical memory notebook note notes todo
    weather hotel hotels flight flights train taxi car airport restaurant restaurants place places location address
    attraction event events product products catalog inventory stock stocks price prices market crypto currency finance
    company customer customers client user users contact contacts account accounts employee people person profile
    ticket tickets issue issues order orders invoice invoices payment payments shipment shipping delivery
    package job jobs task project projects pod server service system health device table schema dataset database db
    message messages mail email chat channel thread comment comments post posts book books song movie recipe library
    app site page pages url link sales crm erp hr policy faq support case cases
    """
)
"""Names of services, and nouns, that stand before a verb: ``jira_search_issues``, ``web_search``."""

NOUNS_AT_THE_END = word_set(
    """
    status list history count info information details detail summary search lookup query id ids number data stats
    statistics thread log logs price prices total type items results template templates report overview features
    """
)
"""Words that make a verb in front a noun: ``order_status``."""

READS_OF_GIT = word_set("status diff log show blame grep describe shortlog reflog list get search view read find")
"""Words after ``git`` that change nothing; ``git_fetch`` does."""

WRITES_OF_GIT = word_set(
    "add commit push pull merge rebase checkout switch reset restore stash clean rm mv init clone apply tag"
)

FETCHED_BY_ARGUMENTS = word_set("api http https request rest graphql sql query curl")
"""Words after ``fetch`` or ``get`` that leave open what a call does."""

GENERIC_VERBS = word_set("run execute exec call invoke do perform use eval evaluate process issue open resolve")
"""Verbs that say nothing about the effect, whatever noun follows."""

CONJUNCTIONS = word_set("and or then also plus")

EMPTY_WORDS = word_set("tool function fn async api action v")
"""Words at the end of a name that add nothing: ``weather_lookup_tool``."""

ARITHMETIC = word_set("numbers number two three integers ints floats values a b x y and matrices vectors complex")
"""Words that may follow ``add``, ``multiply`` and their like where they calculate."""

PHRASES_OF_WRITES = frozenset({("sign", "up"), ("log", "in"), ("log", "out"), ("sign", "in"), ("sign", "out")})

PHRASES_IN_DOUBT = frozenset({("check", "in"), ("check", "out"), ("select", "option"), ("select", "dropdown")})
