"""Servers that outlived what started them: found by a mark in their environment, and ended, to have their port free."""

import socket

import psutil

MARK = "PLURIFILL_SERVES"  # whose server a process is
END_S = 10.0  # to end; then it is killed


def end(mark: str) -> None:
    """End every process of that mark; none of them has a parent of ours any more."""
    left = [process for process in psutil.process_iter() if _mark(process) == mark]
    for process in left:
        process.terminate()
    for process in psutil.wait_procs(left, timeout=END_S)[1]:
        process.kill()
    psutil.wait_procs(left, timeout=END_S)


def holder(host: str, port: str) -> str:
    """Who serves at that address, "" where nobody does."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, int(port)))
        except OSError as error:
            return _listener(int(port)) or str(error.strerror)
    return ""


def _listener(port: int) -> str:
    """The process, where it is the user's own."""
    for process in psutil.process_iter():
        try:
            taken = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
            if any(one.laddr.port == port for one in taken):
                return f"process {process.pid} ({' '.join(process.cmdline())[:80]}) has it"
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return ""


def _mark(process: psutil.Process) -> str:
    try:
        return process.environ().get(MARK, "")
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return ""
