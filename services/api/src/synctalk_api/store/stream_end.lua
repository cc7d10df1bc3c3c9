-- Take the whole text of a stream; nothing is appended from now on.
-- KEYS: state, text, streams of the shard.  ARGV: message_id.
-- Returns the text and the message's client_message_id; nothing when there is no such stream any more.
local text = redis.call('GET', KEYS[2])
if not text then return {} end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'ended', 1)
redis.call('ZADD', KEYS[3], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
return {text, redis.call('HGET', KEYS[1], 'name') or ''}
