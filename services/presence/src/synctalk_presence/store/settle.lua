-- Look whether claimed persons of one shard are still here; from this moment a gone one's next lease is an arrival.
-- KEYS: due, sweep; then for each person two: leases, hash.
-- ARGV: lease_ms, grace_ms, keep_ms; then the persons.
-- Returns for each person four numbers: 0 gone, 1 to be waited for, 2 here; 1 if they count as connected; 1 if a
-- change was not announced yet; when they were last known to be here (Unix ms, 0 unknown).
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease_ms, grace_ms, keep_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local hold = tonumber(redis.call('HGET', KEYS[2], 'hold') or 0)
local answers = {}
for i = 1, #ARGV - 3 do
  local leases, hash, person = KEYS[2 * i + 1], KEYS[2 * i + 2], ARGV[i + 3]
  local highest = tonumber(redis.call('ZREVRANGE', leases, 0, 0, 'WITHSCORES')[2] or 0)
  local known = redis.call('HMGET', hash, 'seen', 'connected', 'pending')
  local seen = tonumber(known[1] or 0)
  local wait_until = 0
  if seen > 0 then wait_until = seen + grace_ms end
  if seen == 0 or highest > 0 then wait_until = math.max(wait_until, hold) end
  local state = 0
  if highest > now then
    state = 2
    redis.call('ZADD', KEYS[1], highest, person)
  elseif wait_until > now then
    state = 1
    redis.call('ZADD', KEYS[1], wait_until, person)
  else
    redis.call('HSET', hash, 'connected', '0')
    redis.call('PEXPIRE', hash, keep_ms)
  end
  if highest > 0 then seen = math.max(seen, math.min(now, highest - lease_ms)) end
  answers[#answers + 1] = {state, known[2] == '1' and 1 or 0, known[3] and 1 or 0, seen}
end
return answers
