"""
Tables of types whose objects several calls may use at once, and of types whose objects they must not.

A type is known by the first part of its module's name and by its own name, as libraries move classes between their
modules. Nothing is imported, and no attribute of an object is read: only the names of its type and of the type's bases.

A ``requests.Session`` is in neither table: its connection pool is safe, its cookies are not promised to be.
"""

from __future__ import annotations

import weakref
from typing import Any, Literal, TypeAlias

from otel_parallelism.analysis.dependencies.effects.verb_tables import word_set

ObjectSafety: TypeAlias = Literal["safe", "unsafe", "unknown"]
"""Whether two calls may use one object at the same time."""

_MRO: Any = type.__dict__["__mro__"]
_MODULE: Any = type.__dict__["__module__"]
_NAMESPACE: Any = type.__dict__["__dict__"]
_NAME: Any = type.__dict__["__qualname__"]
_KNOWN: dict[int, tuple[weakref.ref[type], ObjectSafety]] = {}
"""The safety of the types that were asked for and still exist, by their ids."""

_SAFE_MODULES = frozenset({"logging", "structlog", "loguru", "opentelemetry", "otel_parallelism", "typing", "re"})
"""Packages all of whose objects are safe, or hold nothing that a call changes."""

_DATABASE_MODULES = word_set(
    """
    sqlite3 aiosqlite psycopg psycopg2 asyncpg pymysql aiomysql asyncmy MySQLdb mysql mariadb oracledb cx_Oracle pyodbc
    aioodbc pymssql duckdb _duckdb snowflake trino databricks clickhouse_driver ibm_db_dbi firebird vertica_python
    sqlalchemy django aiopg pg8000 adbc_driver_manager
    """
)
_DATABASE_OBJECTS = ("connection", "cursor", "session", "transaction", "databasewrapper", "poolconnectionproxy")
_FACTORIES = ("pool", "maker", "factory", "engine")


def _table(text: str) -> frozenset[tuple[str, str]]:
    """Return the pairs of package and type of lines like ``httpx: Client AsyncClient``."""
    pairs = set()
    for line in text.strip().splitlines():
        package, _, names = line.strip().partition(":")
        pairs |= {(package, name) for name in names.split()}
    return frozenset(pairs)


_UNSAFE = _table(
    """
    sqlalchemy: scoped_session async_scoped_session Result CursorResult AsyncResult
    sqlmodel: Session AsyncSession
    pymongo: ClientSession AsyncClientSession Cursor AsyncCursor CommandCursor
    motor: AsyncIOMotorClientSession AsyncIOMotorCursor
    redis: Pipeline PubSub
    neo4j: Session AsyncSession Transaction AsyncTransaction Result AsyncResult
    boto3: Session ServiceResource
    playwright: Page Frame BrowserContext ElementHandle Locator Mouse Keyboard
    patchright: Page Frame BrowserContext ElementHandle Locator Mouse Keyboard
    pyppeteer: Page Frame ElementHandle
    selenium: WebDriver WebElement
    appium: WebDriver
    browser_use: Browser BrowserSession BrowserContext Controller
    _io: TextIOWrapper BufferedReader BufferedWriter BufferedRandom FileIO BytesIO StringIO
    tempfile: _TemporaryFileWrapper SpooledTemporaryFile
    aiofiles: AsyncTextIOWrapper AsyncBufferedReader AsyncBufferedIOBase AsyncFileIO
    asyncio: StreamReader StreamWriter Process
    websockets: Connection ClientConnection ServerConnection WebSocketClientProtocol WebSocketServerProtocol
    websocket: WebSocket
    aiohttp: ClientWebSocketResponse ClientResponse
    httpx: Response
    socket: socket
    ssl: SSLSocket
    http: HTTPConnection HTTPSConnection HTTPResponse
    smtplib: SMTP
    imaplib: IMAP4
    ftplib: FTP
    paramiko: SFTPClient Channel
    serial: Serial
    subprocess: Popen
    pexpect: spawn
    jupyter_client: KernelClient
    zipfile: ZipFile
    tarfile: TarFile
    _csv: reader writer
    builtins: generator async_generator coroutine
    """
)
_SAFE = _table(
    """
    httpx: Client AsyncClient
    aiohttp: ClientSession BaseConnector TCPConnector
    openai: SyncAPIClient AsyncAPIClient OpenAI AsyncOpenAI
    anthropic: SyncAPIClient AsyncAPIClient Anthropic AsyncAnthropic
    groq: SyncAPIClient AsyncAPIClient
    together: SyncAPIClient AsyncAPIClient Together AsyncTogether
    cohere: Client AsyncClient ClientV2 AsyncClientV2
    mistralai: Mistral MistralClient
    ollama: Client AsyncClient
    botocore: BaseClient
    pymongo: MongoClient AsyncMongoClient Database AsyncDatabase Collection AsyncCollection
    motor: AsyncIOMotorClient AsyncIOMotorDatabase AsyncIOMotorCollection
    redis: Redis RedisCluster StrictRedis ConnectionPool
    elasticsearch: Elasticsearch AsyncElasticsearch
    opensearchpy: OpenSearch AsyncOpenSearch
    qdrant_client: QdrantClient AsyncQdrantClient
    pinecone: Pinecone Index
    chromadb: ClientAPI AsyncClientAPI
    weaviate: WeaviateClient WeaviateAsyncClient
    neo4j: Driver AsyncDriver BoltDriver Neo4jDriver
    cassandra: Cluster Session
    slack_sdk: WebClient AsyncWebClient
    stripe: StripeClient
    notion_client: Client AsyncClient
    tavily: TavilyClient AsyncTavilyClient
    exa_py: Exa AsyncExa
    mcp: ClientSession
    fastmcp: Client
    langchain_core: BaseLanguageModel BaseChatModel Embeddings BasePromptTemplate
    pydantic_ai: Model Agent
    agents: Agent Model
    sqlalchemy: Engine AsyncEngine MetaData Table sessionmaker async_sessionmaker registry
    urllib3: PoolManager HTTPConnectionPool
    asyncio: Lock Semaphore BoundedSemaphore Event Condition
    threading: Semaphore BoundedSemaphore Event Condition
    _thread: lock RLock
    _asyncio: Event
    concurrent: Executor ThreadPoolExecutor ProcessPoolExecutor
    contextvars: ContextVar
    _contextvars: ContextVar
    jinja2: Environment Template
    string: Template
    tiktoken: Encoding
    zoneinfo: ZoneInfo
    functools: _lru_cache_wrapper
    enum: Enum
    builtins: function builtin_function_or_method method method-wrapper wrapper_descriptor type module property
    builtins: staticmethod classmethod tuple frozenset str int float complex bool bytes NoneType range slice ellipsis
    datetime: date datetime time timedelta timezone
    decimal: Decimal
    fractions: Fraction
    uuid: UUID
    pathlib: PurePath
    """
)


_LIMITERS = _table(
    """
    asyncio: Lock Semaphore BoundedSemaphore Condition
    threading: Semaphore BoundedSemaphore Condition
    _thread: lock RLock
    anyio: Lock Semaphore
    concurrent: ThreadPoolExecutor ProcessPoolExecutor
    """
)


def is_limiter(kind: type) -> bool:
    """
    Return whether calls that share an object of the type *kind* may wait for one another.

    >>> import threading
    >>> is_limiter(type(threading.Lock())), is_limiter(dict)
    (True, False)
    """
    try:
        return (module_of(kind).partition(".")[0], str(_NAME.__get__(kind))) in _LIMITERS
    except Exception:  # noqa: BLE001 - a metaclass of the user may forbid to read its classes
        return False


def type_safety(kind: type) -> ObjectSafety:
    """
    Return whether two calls may use one object of the type *kind* at the same time.

    The nearest base that a table names decides. Frozen dataclasses and frozen structs are safe: what they hold is
    judged by itself.

    >>> import sqlite3, threading
    >>> type_safety(sqlite3.Connection), type_safety(type(threading.Lock())), type_safety(dict)
    ('unsafe', 'safe', 'unknown')
    """
    known = _KNOWN.get(id(kind))
    if known is not None:
        return known[1]
    try:
        safety = _safety(kind)
    except Exception:  # noqa: BLE001 - a metaclass of the user may forbid to read its classes
        return "unknown"
    key = id(kind)
    # A program may make classes without end, and what they hold must not stay with them.
    _KNOWN[key] = (weakref.ref(kind, lambda _: _KNOWN.pop(key, None)), safety)
    return safety


def is_frozen(kind: type) -> bool:
    """Return whether *kind* is a frozen dataclass, a frozen struct of msgspec, or a frozen model of pydantic."""
    for base in _MRO.__get__(kind):
        namespace = _NAMESPACE.__get__(base)
        parameters = namespace.get("__dataclass_params__")
        if type(parameters).__name__ == "_DataclassParams":
            return bool(parameters.frozen)
        config = namespace.get("__struct_config__") or namespace.get("model_config")
        if config is not None:
            return (config.get("frozen") if type(config) is dict else getattr(config, "frozen", False)) is True
    return False


def module_of(kind: type) -> str:
    """Return the name of the module of a type, without running code of a metaclass."""
    return str(_MODULE.__get__(kind))


def type_name(kind: type) -> str:
    """
    Return the name of a type with its package, for a sentence.

    >>> import sqlite3
    >>> type_name(sqlite3.Connection), type_name(dict)
    ('sqlite3.Connection', 'dict')
    """
    package = module_of(kind).partition(".")[0]
    name = str(_NAME.__get__(kind))
    return name if package in {"builtins", "__main__"} else f"{package}.{name}"


def _safety(kind: type) -> ObjectSafety:
    for base in _MRO.__get__(kind):
        package = module_of(base).partition(".")[0]
        if package == "typing" and base is not kind:
            continue  # that a class is generic, or a protocol, says nothing of what its objects hold
        safety = _named_safety(package, str(_NAME.__get__(base)).rpartition(".")[2])
        if safety != "unknown":
            return safety
    return "safe" if is_frozen(kind) else "unknown"


def _named_safety(package: str, name: str) -> ObjectSafety:
    pair = (package, name)
    if pair in _UNSAFE:
        return "unsafe"
    if pair in _SAFE or package in _SAFE_MODULES:
        return "safe"
    lower = name.lower()
    if lower.endswith("pool") and package in _DATABASE_MODULES | {"psycopg_pool", "aiopg", "dbutils", "redis"}:
        return "safe"
    if package in _DATABASE_MODULES and lower.endswith(_DATABASE_OBJECTS) and not lower.endswith(_FACTORIES):
        return "unsafe"
    # The clients of these packages are documented as safe.
    return "safe" if package in {"azure", "google"} and name.endswith("Client") else "unknown"
