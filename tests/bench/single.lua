-- wrk: single readings, no two alike. Arguments: key, RFC 3339 hour such as 2026-05-01T10,
-- what the sensors' names begin with.
local number, key, hour, prefix = 0, "", "", ""
function init(args)
  key, hour, prefix = args[1], args[2], args[3]
end
function request()
  number = number + 1
  local minute = math.floor(number / 6000000) % 60
  local second = math.floor(number / 100000) % 60
  local body = string.format(
    '{"sensor_id":"%s%04d","metric":"traffic.speed","observed_at":"%s:%02d:%02d.%06dZ","value":%d}',
    prefix, number % 200, hour, minute, second, (number * 10) % 1000000, 40 + number % 20)
  return wrk.format("POST", "/v1/readings",
    {["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json"}, body)
end
function done(summary, latency, requests)
  io.write(string.format('RESULT {"requests":%d,"seconds":%f,"failed":%d,"p50_ms":%f,"p95_ms":%f,"p99_ms":%f}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
