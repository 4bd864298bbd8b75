"""
What the tools of coding agents do, by name: which only read, which write, which ask the person.

A shell's effect is in its command, and that of any other tool in its name: the analysis reads both.
"""

from __future__ import annotations

from typing import Final

READING: Final = frozenset(
    """
    Read Grep Glob LS NotebookRead LSP
    read grep glob list lsp codesearch webfetch websearch
    read_file read_many_files list_directory glob grep_search search_file_content
    grep_files list_dir view_image
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
WRITING: Final = frozenset(
    """
    Edit MultiEdit Write NotebookEdit TodoWrite TaskCreate TaskUpdate
    edit multiedit write patch apply_patch todowrite
    replace write_file write_todos save_memory
    update_plan
    ToolSearch Skill SlashCommand EnterWorktree ExitWorktree skill activate_skill tool_search
    """.split()  # noqa: SIM905 - likewise
)
"""Tools that write, or that change what the agent can do: what they load may be used by any later call."""

ASKING: Final = frozenset(
    """
    AskUserQuestion ExitPlanMode EnterPlanMode
    question plan_exit plan_enter
    ask_user exit_plan_mode enter_plan_mode
    request_user_input request_permissions
    """.split()  # noqa: SIM905 - likewise
)
"""Tools that last while the person answers."""

READS_A_FILE: Final = frozenset({"Read", "NotebookRead", "read", "read_file"})
PAGES: Final = frozenset(
    """
    offset limit page cursor head_limit start_line end_line start_index max_results view_range pages line_range
    """.split()  # noqa: SIM905 - likewise
)
"""Arguments that choose a part of the same result."""

PATHS: Final = ("file_path", "filePath", "absolute_path", "notebook_path", "path")
SHELLS: Final = frozenset(
    """
    Bash PowerShell bash run_shell_command shell local_shell exec_command shell_command container.exec
    """.split()  # noqa: SIM905 - likewise
)
