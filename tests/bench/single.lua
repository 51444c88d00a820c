-- wrk: single readings, no two alike. Arguments: key, second of the epoch from which on they are
-- observed (10 microseconds apart), what the sensors' names begin with.
local number, key, begin, prefix = 0, "", 0, ""
function init(args)
  key, begin, prefix = args[1], tonumber(args[2]), args[3]
end
function request()
  number = number + 1
  local body = string.format(
    '{"sensor_id":"%s%04d","metric":"traffic.speed","observed_at":"%s.%06dZ","value":%d}',
    prefix, number % 200, moment(number), (number * 10) % 1000000, 40 + number % 20)
  return wrk.format("POST", "/v1/readings",
    {["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json"}, body)
end
local known, text = -1, ""
function moment(number)  -- formatted once a second: the client must not be what is measured
  local second = begin + math.floor(number / 100000)
  if second ~= known then
    known, text = second, os.date("!%Y-%m-%dT%H:%M:%S", second)
  end
  return text
end
function done(summary, latency, requests)
  io.write(string.format('RESULT {"requests":%d,"seconds":%f,"failed":%d,"p50_ms":%f,"p95_ms":%f,"p99_ms":%f}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
