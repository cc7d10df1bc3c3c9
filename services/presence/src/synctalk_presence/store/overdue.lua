-- How many users of one shard are due.
-- KEYS: due.  ARGV: none.
-- Returns the number.
local time = redis.call('TIME')
return redis.call('ZCOUNT', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
