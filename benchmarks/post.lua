-- wrk's part of benchmarks/receive.py: each body of a file once, then no more.
local bodies, at = {}, 0

function init(args)
   for line in io.lines(args[1]) do bodies[#bodies + 1] = line end
end

function request()
   at = at + 1
   if at > #bodies then at = #bodies; wrk.thread:stop() end
   return wrk.format("POST", "/receive", nil, bodies[at])
end

function done(summary, latency)
   local failed = summary.errors.status + summary.errors.connect + summary.errors.read
      + summary.errors.write + summary.errors.timeout
   io.write(string.format('{"answers": %d, "failed": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f}\n',
      summary.requests, failed, summary.duration / 1e6,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
