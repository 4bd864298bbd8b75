"""Tables of shell commands: which read, with which options they do not, and which write."""

from __future__ import annotations

from otel_parallelism.patterns import LazyPattern

from .verb_tables import word_set

READS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        word_set(
            """
            ls cat head wc grep egrep fgrep zgrep zcat stat du df pwd echo whoami id uname which whereis type
            ps basename dirname realpath readlink diff cmp comm cut tr nl tac rev column fold md5sum sha1sum
            sha256sum sha512sum cksum jq strings hexdump test [ true false seq free uptime nproc lscpu lsblk netstat
            dig nslookup host groups printenv locale cal expr file pgrep lsof
            """
        ),
        (),
    ),
    # For each command, the options that write, run other commands, or never end.
    "rg": ("--pre", "--hostname-bin"),
    "fd": ("-x", "-X", "--exec", "--exec-batch"),
    "ag": ("--pager",),
    "find": ("-delete", "-exec", "-execdir", "-ok", "-okdir", "-fprint", "-fprint0", "-fprintf", "-fls"),
    "sort": ("-o", "--output", "--compress-program"),
    "tree": ("-o",),
    "tail": ("-f", "-F", "--follow", "--retry"),
    "date": ("-s", "--set"),
    "xxd": ("-r",),
    "base64": ("-o", "--output"),
    "printf": ("-v",),
    "yq": ("-i", "--inplace"),
}
READS_BY_SUBCOMMAND: dict[str, frozenset[str]] = {
    "git": word_set(
        """
        status diff log show blame grep describe shortlog ls-files ls-tree ls-remote rev-parse rev-list cat-file
        merge-base name-rev count-objects show-ref for-each-ref check-ignore whatchanged
        """
    ),
    "kubectl": frozenset({"get", "describe", "logs", "top", "version", "explain", "api-resources", "cluster-info"}),
    "docker": frozenset({"ps", "images", "inspect", "logs", "version", "info", "port", "top", "diff", "history"}),
    "podman": frozenset({"ps", "images", "inspect", "logs", "version", "info"}),
    "npm": frozenset({"ls", "list", "view", "outdated", "root"}),
    "pip": frozenset({"list", "show", "freeze", "check"}),
    "helm": frozenset({"list", "ls", "status", "get", "history"}),
    "cargo": frozenset({"tree", "metadata", "search"}),
    "go": frozenset({"version", "list"}),
    "brew": frozenset({"list", "info", "search"}),
    "systemctl": frozenset({"status", "is-active", "is-enabled", "list-units"}),
}
UNSAFE_OF_SUBCOMMANDS = ("--output", "-O", "--open-files-in-pager", "-f", "--follow", "-w", "--watch", "--ext-diff")
READS_OF_GITHUB = frozenset({"list", "view", "status", "diff", "checks"})
WRITES = frozenset(
    "rm rmdir mv cp mkdir touch chmod chown chgrp ln dd tee truncate kill pkill killall install unlink shred".split()  # noqa: SIM905 - long
)
WRITES_BY_SUBCOMMAND: dict[str, frozenset[str]] = {
    "git": word_set(
        """
        add commit push pull merge rebase checkout switch reset restore clean rm mv cherry-pick revert init clone am
        apply
        """
    ),
    "npm": frozenset({"install", "i", "ci", "uninstall", "update", "publish"}),
    "pip": frozenset({"install", "uninstall"}),
    "kubectl": frozenset({"apply", "delete", "create", "patch", "scale", "edit", "replace"}),
    "docker": frozenset({"rm", "rmi", "stop", "start", "restart", "kill", "build", "push", "pull"}),
}
ALIASES = {"pip3": "pip", "yarn": "npm", "pnpm": "npm"}
CURL_WITH_VALUE = frozenset("H A e u m b r w x".split())  # noqa: SIM905 - a set of letters
CURL_FLAGS = frozenset("s S f L k i I v g N G 4 6".split())  # noqa: SIM905 - a set of letters
CURL_LONG = word_set(
    """
    --silent --show-error --fail --location --insecure --include --head --verbose --compressed --http1.1 --http2
    --get --globoff
    """
)
CURL_LONG_WITH_VALUE = frozenset(
    "--header --user-agent --referer --user --max-time --connect-timeout --retry --write-out --url --cookie".split()  # noqa: SIM905 - long
)
LINES_OF_SED = LazyPattern(
    r"(?:\d+|\$|/[^/]*/)?(?:,(?:\d+|\$|/[^/]*/|\+\d+))?[pdq=]?(?:;\d+q)?|s([/|#,])(?:(?!\1).)*\1(?:(?!\1).)*\1[gpI\d]*"
)
HARMLESS_AWK = LazyPattern(r"[^>|@]*")
