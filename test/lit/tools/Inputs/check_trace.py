"""check_trace.py TRACE PROFILE: what txc-run --profile=TRACE --json > PROFILE
wrote. The trace has to keep to the Trace Event Format (catapult), in its object
form, as Perfetto reads it; and to have every phase of the profile."""
import json
import sys

trace, profile = (json.load(open(path)) for path in sys.argv[1:3])
events = trace["traceEvents"]
assert trace["displayTimeUnit"] in ("ns", "ms")
names = {event["name"] for event in events if event["ph"] == "M"}
assert names == {"process_name", "thread_name"}, names
end, slices = 0, [event for event in events if event["ph"] != "M"]
for event in events:
    assert isinstance(event["name"], str) and event["name"], event
    assert isinstance(event["pid"], int), event
    assert isinstance(event["args"], dict), event
for event in slices:
    assert event["ph"] == "X" and isinstance(event["tid"], int), event
    assert isinstance(event["cat"], str), event
    # Microseconds, one slice after the other; three digits are nanoseconds.
    assert event["ts"] >= end - 0.002 and event["dur"] >= 0, event
    end = event["ts"] + event["dur"]
    assert event["args"]["nodes"] and event["args"]["threads"] >= 1, event
phases = {phase["phase"]: phase for phase in profile["phases"]}
assert {event["args"]["phase"] for event in slices} == set(phases)
assert all(phases[event["args"]["phase"]]["kernel"] == event["name"]
           for event in slices)
assert len(slices) == sum(phase["calls"] for phase in phases.values())
# What the tables show of each phase.
for phase in phases.values():
    assert phase["ms"] > 0 and phase["nodes"] and phase["bytes"] > 0, phase
assert any(phase["flops"] > 0 for phase in phases.values())
assert profile["peak_gflops"] > 0 and profile["memory_gbps"] > 0
