-- Before a change of some users of one shard: keep what was announced of them last, and look again if nobody says
-- how it ended.
-- KEYS: due; then each user's hash.
-- ARGV: retry_ms, keep_ms; then for each user three: user, shown, own, as they are before the change.
-- Returns nothing.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local retry_at, keep_ms = now + tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 2, #KEYS do
  local hash, user = KEYS[i], ARGV[3 * i - 3]
  redis.call('HSETNX', hash, 'shown', ARGV[3 * i - 2])
  redis.call('HSETNX', hash, 'own', ARGV[3 * i - 1])
  redis.call('HSET', hash, 'pending', '1')
  redis.call('PEXPIRE', hash, keep_ms)
  local looked_at = tonumber(redis.call('ZSCORE', KEYS[1], user) or retry_at)
  redis.call('ZADD', KEYS[1], math.min(looked_at, retry_at), user)
end
