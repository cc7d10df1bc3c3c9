-- Claim the streams of a shard whose writers are silent, so that one process at a time ends them.
-- KEYS: streams of the shard.  ARGV: ms of silence, ms to claim them for, limit.
-- Returns their messages.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local silent = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1], 'LIMIT', 0, ARGV[3])
for _, message in ipairs(silent) do redis.call('ZADD', KEYS[1], now - ARGV[1] + ARGV[2], message) end
return silent
