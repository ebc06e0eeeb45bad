"""A worker process: asks it for one case at a time, survives its death."""
import contextlib
import select
import signal
import subprocess
import threading


# LLVM keeps the name of every file that it ever wrote, and searches all of them
# for each new one.
REQUESTS_PER_PROCESS = 200


class Worker:
    def __init__(self, command, log, timeout):
        self.command = command
        self.log = log
        self.timeout = timeout
        self.process = None
        self.asked = 0

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log)

    def stop(self):
        """Ends the process. Returns what it exited with, if it already had."""
        if not self.process:
            return None
        code = self.process.poll()
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self.process = None
        return code

    def ask(self, mode, case, out):
        """(status, detail): the worker's answer, or how it died."""
        if self.asked == REQUESTS_PER_PROCESS:
            self.stop()
        fresh = self.process is None
        if fresh:
            self.start()
            self.asked = 0
        self.asked += 1
        answer = self.exchange(f"{mode}\t{case}\t{out}\n")
        # What a worker died of may be the case before: try a fresh one.
        if answer[0] == "crash" and not fresh:
            return self.ask(mode, case, out)
        return answer

    def exchange(self, request):
        try:
            self.process.stdin.write(request.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            return self.died()
        ready, _, _ = select.select([self.process.stdout], [], [], self.timeout)
        if not ready:
            self.stop()
            return "timeout", f"no answer in {self.timeout} s"
        line = self.process.stdout.readline().decode(errors="replace")
        if not line.endswith("\n"):
            return self.died()
        status, _, detail = line.rstrip("\n").partition("\t")
        if status not in ("ok", "unsupported", "error"):
            return "error", f"the worker answered {line.strip()!r}"
        return status, detail

    def died(self):
        self.process.wait()
        code = self.stop()
        if code < 0:
            return "crash", f"killed by {signal.Signals(-code).name}"
        return "crash", f"exited with {code}"


def seed_range(text):
    """An option's FIRST:END, or one seed alone."""
    first, _, end = text.partition(":")
    return range(int(first), int(end or int(first) + 1))


def run_all(make_worker, jobs, requests, handle):
    """Calls handle(worker, request) for each request, on `jobs` workers."""
    requests = iter(requests)
    lock = threading.Lock()

    def loop():
        worker = make_worker()
        try:
            while True:
                with lock:
                    request = next(requests, None)
                if request is None:
                    return
                handle(worker, request)
        finally:
            worker.stop()

    threads = [threading.Thread(target=loop) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
