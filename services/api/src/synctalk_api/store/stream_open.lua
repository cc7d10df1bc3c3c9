-- Begin a stream, or put back what Redis has lost of it.
-- KEYS: state, text, streams of the shard.
-- ARGV: message_id, conversation_id, user_id, client_message_id, text, chars, keep_s.
-- A stream that has ended, or whose text is as long already, stays as it is. Returns 1 where it did not.
local chars = tonumber(redis.call('HGET', KEYS[1], 'chars') or -1)
if chars >= tonumber(ARGV[6]) or redis.call('HEXISTS', KEYS[1], 'ended') == 1 then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'conversation', ARGV[2], 'user', ARGV[3], 'name', ARGV[4], 'chars', ARGV[6],
  'shown', ARGV[6], 'shown_bytes', #ARGV[5], 'shown_at', 0)
redis.call('SET', KEYS[2], ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[7])
redis.call('ZADD', KEYS[3], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
return 1
