-- After a change of some users of one shard: publish it if it is one. Here it is decided, for all processes, that a
-- change is announced once: what equals the last announcement is none, and what is older than it came too late.
-- KEYS: due; then for each user three: leases, idle set, hash.
-- ARGV: grace_ms, keep_ms, PUBLISH or SPUBLISH; then for each user ten: user, channel, version, 1 if connected, 1 if just arrived,
-- 1 if idle, shown, own, the event if shown changed, the event if only own changed.
-- Returns for each user 2 shown changed, 1 only own changed, 0 nothing changed, -1 too late.
local grace_ms, keep_ms, publish = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

local function look_again(leases, idle, hash, user, connected)
  if highest_expiry(leases) > now then
    redis.call('ZADD', KEYS[1], look_at(leases, idle, hash), user)
  elseif connected then
    redis.call('ZADD', KEYS[1], tonumber(redis.call('HGET', hash, 'seen') or now) + grace_ms, user)
  else
    redis.call('ZREM', KEYS[1], user)
  end
end

local answers = {}
for i = 1, (#KEYS - 1) / 3 do
  local leases, idle, hash, at = KEYS[3 * i - 1], KEYS[3 * i], KEYS[3 * i + 1], 10 * i - 7
  local user, channel, version = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local connected, arrived, is_idle = ARGV[at + 4] == '1', ARGV[at + 5] == '1', ARGV[at + 6]
  local shown, own = ARGV[at + 7], ARGV[at + 8]
  local last = redis.call('HMGET', hash, 'version', 'shown', 'own')
  if tonumber(version) < tonumber(last[1] or 0) then
    answers[i] = -1
  else
    redis.call('HSET', hash, 'version', version, 'shown', shown, 'own', own, 'idle', is_idle)
    redis.call('HDEL', hash, 'pending')
    if arrived then redis.call('HSET', hash, 'connected', '1') end
    if not connected then redis.call('HSET', hash, 'connected', '0') end
    redis.call('PEXPIRE', hash, keep_ms)
    look_again(leases, idle, hash, user, connected)
    if last[2] ~= shown then
      redis.call(publish, channel, ARGV[at + 9])
      answers[i] = 2
    elseif last[3] ~= own then
      redis.call(publish, channel, ARGV[at + 10])
      answers[i] = 1
    else
      answers[i] = 0
    end
  end
end
return answers
