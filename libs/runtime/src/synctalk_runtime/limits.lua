-- Token buckets, many in one call.
-- KEYS: one bucket each.  ARGV: 1 to stop at the first refusal, else 0; who asks, and for how many milliseconds they may
-- hold tokens; then for each key four numbers: tokens a second, burst, cost, and how many tokens to take ahead.
-- Returns for each key 0 when taken, -n when taken with n tokens ahead, else the milliseconds until it could be; after a
-- stop no more answers. A refused bucket is left as it was, and so are those that come after a stop: nothing is written
-- for them. A bucket that is full again is as one that was never asked for, so a key lives just until then.
-- Tokens that somebody holds ahead count as if they were in the bucket: it fills up to less, so that what is kept and
-- what is there never exceed the burst. One taker holds tokens at a time, and only while half of the burst is left.
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local stops = ARGV[1] == '1'
local who, hold_ms = ARGV[2], tonumber(ARGV[3])
local answers = {}
for i, key in ipairs(KEYS) do
  local rate, burst = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
  local cost, ahead = tonumber(ARGV[4 * i + 2]), tonumber(ARGV[4 * i + 3])
  local bucket = redis.call('HMGET', key, 't', 'at', 'kept', 'until', 'who')
  local tokens = tonumber(bucket[1]) or burst
  local at = tonumber(bucket[2]) or now_ms
  local kept, kept_until = tonumber(bucket[3]) or 0, tonumber(bucket[4]) or 0
  if kept > 0 then
    local filled_until = math.min(now_ms, kept_until)
    tokens = math.max(tokens, math.min(burst - kept, tokens + math.max(0, filled_until - at) * rate / 1000))
    at = math.max(at, filled_until)
    if now_ms >= kept_until then kept = 0 end
  end
  if kept == 0 then
    tokens = math.min(burst, tokens + math.max(0, now_ms - at) * rate / 1000)
  end
  if tokens >= cost then
    local left = tokens - cost
    if ahead > 0 and left - ahead >= burst / 2 and (kept == 0 or bucket[5] == who) then
      left, kept, kept_until = left - ahead, ahead, now_ms + hold_ms
    else
      ahead = 0
    end
    if left >= burst then
      redis.call('DEL', key)
    else
      local lives_ms = math.ceil((burst - left) / rate * 1000) + 1000
      if ahead > 0 then
        redis.call('HSET', key, 't', tostring(left), 'at', now_ms, 'kept', kept, 'until', kept_until, 'who', who)
        lives_ms = math.max(lives_ms, hold_ms + 1000)
      else
        if kept == 0 and bucket[3] then redis.call('HDEL', key, 'kept', 'until', 'who') end
        redis.call('HSET', key, 't', tostring(left), 'at', now_ms)
        if kept > 0 then lives_ms = math.max(lives_ms, kept_until - now_ms + 1000) end
      end
      redis.call('PEXPIRE', key, lives_ms)
    end
    answers[i] = -ahead
  else
    answers[i] = math.max(1, math.ceil((cost - tokens) / rate * 1000))
    if stops then break end
  end
end
return answers
