from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import call

from otel_parallelism.analysis.dependencies.effects import call_effect
from otel_parallelism.analysis.dependencies.effects.sessions import acts_on_session
from otel_parallelism.analysis.dependencies.effects.shell_commands import shell_effect
from otel_parallelism.analysis.dependencies.effects.sql_effects import sql_effect
from otel_parallelism.analysis.dependencies.effects.tool_verbs import assumed_effect, cautious_effect
from otel_parallelism.analysis.dependencies.effects.verb_tables import WRITES as WRITES_ANYWHERE
from otel_parallelism.model import Content
from otel_parallelism.settings import Settings

READS = """
    get_weather searchFlights list-orders getHTTPPage lookup read_and_count fetchURL2 Find_user get_forward_rate
    get_refund_status list_open_orders get_commit get_order get_schedule list_pull_requests get_approval_status
    web_search git_status git_log WebFetch jira_search_issues gmail_search_messages kubectl_get order_lookup file_read
    mcp__github__list_issues crm.find_user desk-get_weather search/read_page weather_lookup_tool
    search_flights_and_hotels convert_currency multiply_numbers Read Grep track_parcel
    mcp_shop_get_order mcp_my_docs_search_pages
    look_up_word head_object show_orders embed_text
    get_last_login list_failed_logins get_door_state get_next_departure get_previous_match
"""
WRITES = """
    create_booking createOrder book_flight log_in send_email delete-file mcp__github__create_issue slack_post_message
    mcp_shop_create_order
    git_commit set_price Write TodoWrite
"""
UNKNOWN = """
    get_next_task getNextTask mcp__jobs__get_next_task jobs.get_next_task get-next-task poll_queue get_user_confirmation
    get_human_approval get_user_input get_approval get_approval_from_manager ask_user find_seat_and_take select_seat
    view_and_consume validate_coupon get_new_token get_access_token check_box check_in checkIn select_tab
    get_or_create fetch_and_ack find_and_replace search_then_book get_and_increment find_and_fix searchFlightsAndHold
    select_dropdown_option select_database load_dataset use_database connect wait_for_job get_lock fetch_more
    get_session get_cursor query_to_csv read_into_table get_updates show_dialog extract_archive
    run execute exec call_tool python run_code bash shell do_it invoke use_tool perform_action
    fetch query http_request sql execute_query query_database fetch_api
    crear_pedido buscar_hoteles obtener_estado lire_fichier hole_daten enviar_status lösche_datei получить_погоду 取得
    git_fetch promote_read_replica rebuild_search_index browser.get_text mcp__playwright__get_text get_page_text
    frobnicate weather ____ 42 the_get forward_geocode order_status message_count add order issue_refund track_event
    mcp_get_resource mcp_shop_sync mcp_browser_get_text
    get_login check_login get_state get_session_state get_next_question
    look_at look_around look_through get_view_count read_adjacent_cell head_north show_slide show_map embed_documents
"""


def test_reading_verb_in_front_or_after_a_service_is_a_read() -> None:
    assert {tool: assumed_effect(tool) for tool in READS.split()} == dict.fromkeys(READS.split(), "read")


def test_writing_verb_in_front_is_a_write() -> None:
    assert {tool: assumed_effect(tool) for tool in WRITES.split()} == dict.fromkeys(WRITES.split(), "write")


def test_doubtful_generic_and_foreign_names_have_unknown_effect() -> None:
    tools = ["", *UNKNOWN.split()]
    assert {tool: assumed_effect(tool) for tool in tools} == dict.fromkeys(tools, "unknown")


@given(st.sampled_from(READS.split()), st.sampled_from(sorted(WRITES_ANYWHERE)))
def test_a_verb_that_writes_defeats_a_reading_one(tool: str, verb: str) -> None:
    assert assumed_effect(f"{tool}_and_{verb}") != "read"
    assert assumed_effect(f"{tool}_or_{verb}") != "read"


@given(st.text(max_size=30))
def test_any_name_has_an_effect_and_words_of_other_scripts_are_unknown(tool: str) -> None:
    assert assumed_effect(tool) in {"read", "write", "unknown"}
    if not tool.isascii():
        assert assumed_effect(tool) == "unknown"


def test_run_tools_keeps_the_order_wherever_a_name_may_mean_a_write() -> None:
    tools = [*WRITES.split(), "get_or_create", "get_refund_status", "find_seat_and_take"]
    assert {tool: cautious_effect(tool) for tool in tools} == dict.fromkeys(tools, "write")


def test_precedence_is_decorator_framework_settings_name() -> None:
    settings = Settings(writes=("get_*",), read_only=("CREATE_*",))
    for source in ("declared", "framework"):
        assert call_effect(call("a", 0, 1, "get_x", effect="read", effect_source=source), settings) == ("read", source)
    assert call_effect(call("a", 0, 1, "get_x"), settings) == ("write", "settings")
    assert call_effect(call("a", 0, 1, "create_x"), settings) == ("read", "settings")
    assert call_effect(call("a", 0, 1, "create_x"), Settings()) == ("write", "assumed")
    assert call_effect(call("a", 0, 1, "frobnicate"), Settings()) == ("unknown", "")


def test_write_pattern_takes_precedence_and_serial_tools_write() -> None:
    assert call_effect(call("a", 0, 1, "x"), Settings(writes=("x",), read_only=("x",))) == ("write", "settings")
    assert call_effect(call("a", 0, 1, "x"), Settings(serial=("x",), read_only=("x",))) == ("write", "settings")


def test_effect_without_source_ranks_after_the_settings() -> None:
    assert call_effect(call("a", 0, 1, "x", effect="read"), Settings()) == ("read", "framework")
    assert call_effect(call("a", 0, 1, "x", effect="read"), Settings(writes=("x",))) == ("write", "settings")


def seen(tool: str, arguments: object, *, whole: bool = True) -> tuple[str, str]:
    return call_effect(call("a", 0, 1, tool, arguments=Content(arguments, whole=whole)), Settings())


@pytest.mark.parametrize(
    ("tool", "arguments", "effect", "source"),
    [
        ("fetch", {"url": "https://a.example/orders", "method": "POST"}, "write", "arguments"),
        ("fetch", {"url": "https://a.example/orders"}, "read", "assumed"),
        ("fetch", {"url": "https://a.example/orders", "body": "x"}, "unknown", "arguments"),
        ("fetch", {"url": "https://a.example/list/unsubscribe"}, "unknown", "arguments"),
        ("http_request", {"url": "https://a.example", "method": "get"}, "read", "arguments"),
        ("http_request", {"url": "https://a.example"}, "unknown", ""),
        ("es_search", {"url": "https://a.example/_search", "method": "POST"}, "unknown", "arguments"),
        ("get_rate", {"method": "linear"}, "read", "assumed"),
        ("delete_record", {"method": "GET"}, "write", "assumed"),
        ("query_database", {"sql": "INSERT INTO o VALUES (1)"}, "write", "arguments"),
        ("query_database", {"sql": "SELECT count(*) FROM o"}, "read", "arguments"),
        ("execute_query", {"query": "SELECT count(*) FROM o"}, "read", "arguments"),
        ("read_query", {"query": "DELETE FROM o"}, "write", "arguments"),
        ("create_view", {"sql": "SELECT 1"}, "write", "assumed"),
        ("search_docs", {"query": "DELETE FROM orders"}, "read", "assumed"),
        ("query", {"q": "restaurants in Oslo"}, "read", "assumed"),
        ("query_graphql", {"query": "mutation { close(id: 1) { ok } }"}, "write", "arguments"),
        ("query_graphql", {"query": "{ issues { title } }"}, "read", "arguments"),
        ("query_redis", {"command": "FLUSHALL"}, "unknown", "arguments"),
        ("query_redis", {"command": "GET a"}, "read", "arguments"),
        ("browse", {"action": "click"}, "write", "arguments"),
        ("github", {"action": "create_issue"}, "write", "arguments"),
        ("bash", {"command": "git status"}, "read", "arguments"),
        ("Bash", {"command": "git commit -m x"}, "write", "arguments"),
        ("shell", {"command": ["bash", "-lc", "ls | wc -l"]}, "read", "arguments"),
        ("get_notifications", {"mark_as_read": True}, "unknown", "arguments"),
        ("find_customer", {"email": "a@b.example", "create_if_missing": True}, "unknown", "arguments"),
        ("preview_change", {"id": "p1", "dry_run": False}, "unknown", "arguments"),
        ("get_voice", {"set_language": "de"}, "unknown", "arguments"),
        ("get_notifications", {"mark_as_read": False}, "read", "assumed"),
        ("find_places", {"open_now": True, "include_deleted": True, "dry_run": True}, "read", "assumed"),
        ("python", {"code": "print(1)"}, "unknown", ""),
        ("analyze_code", {"code": "rm(x)"}, "read", "assumed"),
        (
            "call_tool",
            {"name": "x", "arguments": {"url": "https://a.example", "method": "DELETE"}},
            "write",
            "arguments",
        ),
        ("calculate", {"operation": "add", "a": 1}, "read", "assumed"),
    ],
)
def test_arguments_win_over_the_name(tool: str, arguments: object, effect: str, source: str) -> None:
    assert seen(tool, arguments) == (effect, source)


def test_incomplete_arguments_prove_no_read() -> None:
    assert seen("execute_query", {"sql": "SELECT 1"}, whole=False) == ("unknown", "")
    assert seen("query", {"q": "restaurants"}, whole=False) == ("unknown", "")
    assert seen("query", {"sql": "DELETE FROM o"}, whole=False) == ("write", "arguments")


def test_unreadable_arguments_leave_the_name() -> None:
    def parse(value: object) -> object:
        raise ValueError(value)

    found = call_effect(call("a", 0, 1, "get_user", arguments=Content(1, parse)), Settings())
    assert found == ("read", "assumed")


SQL_READS = """
SELECT count(*) FROM orders
SELECT a FROM t WHERE s = 'delete from x; drop' AND x IN (1, 2)
WITH a AS (SELECT 1) SELECT * FROM a
EXPLAIN SELECT * FROM t
SHOW TABLES
PRAGMA table_info(x)
MATCH (n:User) RETURN n.name
SELECT "update" FROM t -- delete
SELECT sum(x) OVER (PARTITION BY y) FROM a JOIN b USING (id) GROUP BY 1 HAVING count(*) > 2
"""
SQL_WRITES = """
WITH m AS (DELETE FROM orders RETURNING *) INSERT INTO archive SELECT * FROM m
WITH x AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM x
SET search_path TO eu
TRUNCATE staging
SELECT 1; DELETE FROM x
BEGIN; SELECT 1; COMMIT
/* x */ delete from x
MATCH (n) DETACH DELETE n
USE eu
"""
SQL_UNKNOWN = """
SELECT nextval('a')
SELECT book_seat(5)
SELECT dbo.fn(1)
SELECT * INTO n FROM t
SELECT * FROM t FOR UPDATE SKIP LOCKED
EXPLAIN ANALYZE SELECT 1
EXPLAIN (ANALYZE) SELECT * FROM t
CALL p()
PRAGMA journal_mode=WAL
SELECT @x := 1
SELECT get_lock('a', 1)
SELECT pg_sleep(1)
SELECT 'unclosed
SELECT 'a\\'; DELETE FROM t; --'
SELECT /*!50000 1 */ FROM t
"""


def test_sql() -> None:
    rows = {"read": SQL_READS, "write": SQL_WRITES, "unknown": SQL_UNKNOWN}
    found = {effect: {line: sql_effect(line) for line in lines.strip().splitlines()} for effect, lines in rows.items()}
    assert found["read"] == dict.fromkeys(found["read"], "read")
    assert found["write"] == dict.fromkeys(found["write"], "write")
    assert [line for line, effect in found["unknown"].items() if effect == "read"] == []


@given(st.sampled_from(SQL_READS.strip().splitlines()), st.sampled_from(SQL_WRITES.strip().splitlines()))
def test_one_writing_statement_among_reading_ones_writes(read: str, write: str) -> None:
    assert sql_effect(f"{read}\n; {write}") == "write"


SHELL_READS = """
git status
git -C /x diff
git branch -a
git stash list
ls 2>/dev/null | head -5
cat a; cat b && wc -l c
find . -name '*.py'
sed -n 1,5p f
curl -sSL -H 'A: b' https://a.example
curl -X GET https://a.example
grep "a > b" x | sort
ls | xargs wc -l
awk '{print $1}' f
kubectl get pods -o wide
gh pr list
"""
SHELL_OTHERS = """
git checkout main
git branch new
git fetch
git stash
git diff --output=x
git config user.name x
ls > x
cat a && rm b
cat a & cat b
sudo ls
find . -delete
find . -name x -exec rm {} +
sed -i s/a/b/ f
sed -n '/x/e ls' f
curl -X POST https://a.example
curl -XPOST https://a.example
curl -d x https://a.example
curl -sO https://a.example
echo $(rm x)
echo `rm x`
echo "$(rm x)"
X=1 ls
for f in *; do rm $f; done
cat <<EOF
tail -f x
ls | xargs rm
awk '{print > "x"}' f
awk 'BEGIN{system("rm")}'
sort -o x y
uniq a b
bash -c ls
cd /x && git status
kubectl get pods -w
eval ls
rg --pre x y
npm test
FLUSHALL
env FOO=1 ls
"""


def test_shell_commands_that_read() -> None:
    assert {command: shell_effect(command) for command in SHELL_READS.strip().splitlines()} == dict.fromkeys(
        SHELL_READS.strip().splitlines(), "read"
    )


def test_shell_commands_that_may_write() -> None:
    assert [command for command in SHELL_OTHERS.strip().splitlines() if shell_effect(command) == "read"] == []


@given(
    st.sampled_from(SHELL_READS.strip().splitlines()),
    st.sampled_from(SHELL_OTHERS.strip().splitlines()),
    st.sampled_from([" && ", " | ", "; ", "\n", " || "]),
)
def test_a_list_reads_only_if_all_its_commands_do(read: str, other: str, sign: str) -> None:
    assert shell_effect(read + sign + other) != "read"
    assert shell_effect(other + sign + read) != "read"


@given(st.text(alphabet="ls -la;|&$(){}<>'\"`\\\n", max_size=20))
def test_any_command_has_an_effect(command: str) -> None:
    assert shell_effect(command) in {"read", "write", "unknown"}
    assert sql_effect(command) in {"read", "write", "unknown"}


SESSIONS = "click browser_click check_box select_tab login log_in connect cd take_screenshot navigate type press_key"


def test_what_acts_on_a_screen_or_a_session_keeps_its_order() -> None:
    others = ["get_weather", "get_clicks", "get_click_rate", "press_release", "search", "open_file", "use_coupon"]
    assert [tool for tool in SESSIONS.split() + others if acts_on_session(tool, None)] == SESSIONS.split()


def test_arguments_may_show_an_action_on_a_session() -> None:
    assert acts_on_session("browse", Content({"action": "left_click"}))
    assert acts_on_session("bash", Content({"command": "cd src && ls"}))
    assert acts_on_session("query", Content({"sql": "SET search_path TO eu"}))
    assert not acts_on_session("query", Content({"sql": "SELECT 1"}))
