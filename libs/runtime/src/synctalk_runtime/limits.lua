-- Token buckets, many in one call.
-- KEYS: one bucket each.  ARGV: for each key three numbers: tokens a second, burst, cost.
-- Returns for each key 0 when taken, else the milliseconds until it could be. A refused bucket is left as it was.
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local answers = {}
for i, key in ipairs(KEYS) do
  local rate, burst, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local bucket = redis.call('HMGET', key, 't', 'at')
  local tokens = tonumber(bucket[1]) or burst
  local at = tonumber(bucket[2]) or now_ms
  tokens = math.min(burst, tokens + math.max(0, now_ms - at) * rate / 1000)
  if tokens >= cost then
    redis.call('HSET', key, 't', tostring(tokens - cost), 'at', now_ms)
    redis.call('PEXPIRE', key, math.ceil(burst / rate * 1000) + 1000)
    answers[i] = 0
  else
    answers[i] = math.max(1, math.ceil((cost - tokens) / rate * 1000))
  end
end
return answers
