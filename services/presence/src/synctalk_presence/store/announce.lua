-- After a change of some persons of one shard: publish it if it is one. Here it is decided, for all processes, that a
-- change is announced once: what equals the last announcement is none, and what is older than it came too late.
-- KEYS: due; then for each person two: leases, hash.
-- ARGV: grace_ms, keep_ms; then for each person nine: person, channel, version, 1 if connected, 1 if just arrived,
-- shown, own, the event if shown changed, the event if only own changed.
-- Returns for each person 2 shown changed, 1 only own changed, 0 nothing changed, -1 too late.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local grace_ms, keep_ms = tonumber(ARGV[1]), tonumber(ARGV[2])

local function look_again(leases, hash, person, connected)
  local highest = tonumber(redis.call('ZREVRANGE', leases, 0, 0, 'WITHSCORES')[2] or 0)
  if highest > now then
    redis.call('ZADD', KEYS[1], highest, person)
  elseif connected then
    redis.call('ZADD', KEYS[1], tonumber(redis.call('HGET', hash, 'seen') or now) + grace_ms, person)
  else
    redis.call('ZREM', KEYS[1], person)
  end
end

local answers = {}
for i = 1, (#KEYS - 1) / 2 do
  local leases, hash, at = KEYS[2 * i], KEYS[2 * i + 1], 9 * i - 7
  local person, channel, version = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local connected, arrived, shown, own = ARGV[at + 4] == '1', ARGV[at + 5] == '1', ARGV[at + 6], ARGV[at + 7]
  local last = redis.call('HMGET', hash, 'version', 'shown', 'own')
  if tonumber(version) < tonumber(last[1] or 0) then
    answers[i] = -1
  else
    redis.call('HSET', hash, 'version', version, 'shown', shown, 'own', own)
    redis.call('HDEL', hash, 'pending')
    if arrived then redis.call('HSET', hash, 'connected', '1') end
    if not connected then redis.call('HSET', hash, 'connected', '0') end
    redis.call('PEXPIRE', hash, keep_ms)
    look_again(leases, hash, person, connected)
    if last[2] ~= shown then
      redis.call('PUBLISH', channel, ARGV[at + 8])
      answers[i] = 2
    elseif last[3] ~= own then
      redis.call('PUBLISH', channel, ARGV[at + 9])
      answers[i] = 1
    else
      answers[i] = 0
    end
  end
end
return answers
