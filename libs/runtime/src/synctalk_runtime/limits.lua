-- Token buckets, many in one call.
-- KEYS: one bucket each.  ARGV: 1 to stop at the first refusal, else 0; then for each key three numbers: tokens a
-- second, burst, cost.
-- Returns for each key 0 when taken, else the milliseconds until it could be; after a stop no more answers. A refused
-- bucket is left as it was, and so are those that come after a stop: nothing is written for them. A bucket that is full
-- again is as one that was never asked for, so a key lives just until then.
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local stops = ARGV[1] == '1'
local answers = {}
for i, key in ipairs(KEYS) do
  local rate, burst, cost = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local bucket = redis.call('HMGET', key, 't', 'at')
  local tokens = tonumber(bucket[1]) or burst
  local at = tonumber(bucket[2]) or now_ms
  tokens = math.min(burst, tokens + math.max(0, now_ms - at) * rate / 1000)
  if tokens >= cost then
    local left = tokens - cost
    if left >= burst then
      redis.call('DEL', key)
    else
      redis.call('HSET', key, 't', tostring(left), 'at', now_ms)
      redis.call('PEXPIRE', key, math.ceil((burst - left) / rate * 1000) + 1000)
    end
    answers[i] = 0
  else
    answers[i] = math.max(1, math.ceil((cost - tokens) / rate * 1000))
    if stops then break end
  end
end
return answers
