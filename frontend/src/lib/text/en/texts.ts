/** The texts of the first load in English, whose shape the other languages have. */
import { atMost, list, number } from '../inUse'
import { pluralsOf } from '../plurals'
import { NEW_MESSAGE } from '../newMessage'

const plural = pluralsOf('en')
const count = (n: number, one: string, other: string): string =>
  plural(n, { one: `# ${one}`, other: `# ${other}` })

export const texts = {
  product: 'SyncTalk',
  loading: 'Loading',
  cancel: 'Cancel',
  close: 'Close',
  back: 'Back',
  save: 'Save',
  saved: 'Saved',
  tryAgain: 'Try again',
  optional: 'optional',
  somethingWrong: 'Something went wrong.',
  you: 'You',
  someone: 'Someone',
  skipToConversation: 'Skip to the conversation',
  pageBroke: 'Something went wrong on this page.',
  reload: 'Reload',
  notFound: 'This page doesn’t exist.',
  goHome: 'Go to your conversations',

  failures: {
    network: 'You’re offline. Try again when you’re back online.',
    timeout: 'That took too long. Try again.',
    unavailable: 'This isn’t available right now. Try again in a moment.',
    rate_limited: 'You’re doing that too often. Wait a moment, then try again.',
    forbidden: 'You don’t have permission to do that.',
    not_found: 'This doesn’t exist, or has been deleted.',
    invalid_credentials: 'Incorrect username or password.',
    wrong_password: 'Your current password is incorrect.',
    username_taken: 'This username is already taken.',
    too_large: 'That’s too long.',
    invalid: 'Check what you entered and try again.',
    conflict: 'Someone else made a change at the same time. Try again.',
    other: 'Something went wrong. Try again.',
  } as Record<string, string> & { other: string },

  /** By the field that was refused, where the client itself found nothing wrong with it. */
  problems: {
    username: 'You can’t use this username. Choose another one.',
    display_name: 'This name is too long or contains invisible characters.',
    password: 'This password is too easy to guess. Choose another one.',
    new_password: 'This password is too easy to guess. Choose another one.',
    title: 'This name is too long or contains invisible characters.',
    description: 'This is too long or contains invisible characters.',
    avatar_url: 'Use the address of an image that begins with https://',
  } as Record<string, string>,

  connection: {
    offline: 'You’re offline. Messages will be sent when you’re back.',
    reconnecting: 'Reconnecting… Messages will be sent in a moment.',
  },

  conversations: {
    account: 'Your account and status',
    title: 'Conversations',
    filter: 'Filter',
    filterLabel: 'Filter conversations by name',
    clearFilter: 'Clear filter',
    new: 'New conversation',
    none: 'No conversations yet',
    noneLead: 'Find someone by name and say hello.',
    noMatch: (name: string) => `No conversation matches “${name}”.`,
    unread: (n: number) => count(n, 'unread message', 'unread messages'),
    draft: 'Draft:',
    noMessages: 'No messages yet',
    /** Between a name and what it said. */
    after: ': ',
    untitled: 'Untitled group',
    choose: 'Select a conversation',
    chooseLead: 'Or start a new one. Press Ctrl+K to jump anywhere.',
    welcome: (name: string) => `Hello, ${name}`,
    findUsers: 'Find people',
    guestLead: 'You’ll see the conversations that you’re invited to.',
    welcomeLead: 'Who would you like to talk to?',
    resize: 'Conversation list width',
    removed: (title: string) => `You’re no longer in “${title}”.`,
    couldNotLoad: 'Your conversations could not be loaded.',
    sections: { pinned: 'Pinned', group: 'Groups', direct: 'Direct messages', hidden: 'Hidden' },
    actionsFor: (title: string) => `Options for ${title}`,
    pin: 'Pin',
    unpin: 'Unpin',
    pinned: 'Pinned',
    hide: 'Hide until the next message',
    unhide: 'Show in list',
    markUnread: 'Mark as unread',
    markRead: 'Mark as read',
    markedUnread: 'Marked as unread',
    mentions: (n: number) => count(n, 'mention', 'mentions'),
  },

  details: {
    title: 'Details',
    open: 'Show details',
    hide: 'Hide details',
    archived: 'Archived',
    membersCount: (n: number) => count(n, 'member', 'members'),
    membersOnline: (n: number, online: number) =>
      `${count(n, 'member', 'members')}, ${number(online)} online`,
  },

  messages: {
    history: 'Messages',
    today: 'Today',
    yesterday: 'Yesterday',
    newLine: 'New',
    newMessages: (n: number) => count(n, 'new message', 'new messages'),
    markRead: 'Mark as read',
    toNewest: 'Jump to the newest message',
    cameBelow: (n: number) => `Jump to the newest message, ${count(n, 'new message', 'new messages')}`,
    startDirect: (name: string) => `This is the beginning of your conversation with ${name}.`,
    startGroup: (title: string) => `This is the beginning of “${title}”.`,
    edited: 'edited',
    interrupted: 'interrupted',
    deleted: 'Message deleted',
    actions: 'Message actions',
    report: 'Report',
    moreActions: 'More actions',
    reply: 'Reply',
    inReplyTo: 'In reply to',
    toQuoted: 'Go to this message',
    edit: 'Edit',
    copy: 'Copy text',
    copyLink: 'Copy link',
    copied: 'Copied',
    delete: 'Delete',
    deleteQuestion: 'Delete this message for everyone?',
    sending: 'Sending',
    sent: 'Sent',
    delivered: 'Delivered',
    read: 'Read',
    failed: 'Not sent',
    retry: 'Retry',
    discard: 'Discard',
    takeBack: 'Edit before sending',
    showMore: 'Show more',
    previews: (count: number) => (count === 1 ? 'Link preview' : `${String(count)} link previews`),
    spoiler: 'Show spoiler',
    table: 'Table',
    showLess: 'Show less',
    whoRead: 'Read by',
    whoGot: 'Delivered to',
    whoNot: 'Not yet delivered to',
    receipts: 'Who has read this',
    /** Of a group, where not all have read it. */
    readBySome: (state: string, n: number) => `${state}, read by ${number(n)}`,
    receiptsFor: (state: string) => `${state}. Show who`,
    couldNotLoad: 'Messages could not be loaded.',
    failures: {
      forbidden: 'You can’t send messages here.',
      not_found: 'You’re no longer in this conversation.',
      too_large: 'The message is too long.',
      invalid: 'The message was rejected.',
      unavailable: 'The server is unavailable.',
      timeout: 'The server didn’t respond.',
      rate_limited: 'Too many messages at once.',
      other: 'It couldn’t be sent.',
    } as Record<string, string> & { other: string },
    announce: (name: string, body: string) => `${name}: ${body}`,
  },

  reactions: {
    title: 'Reactions',
    add: 'Add a reaction',
    with: (emoji: string) => `React with ${emoji}`,
    chip: (emoji: string, n: number) => `${emoji}, ${count(n, 'reaction', 'reactions')}`,
    names: (names: readonly string[], more: number) =>
      list(more > 0 ? [...names, count(more, 'other', 'others')] : names),
    who: 'Who?',
    none: 'No reactions.',
    more: (n: number) => `and ${count(n, 'other', 'others')}`,
  },

  system: {
    /** As whom something was done to. */
    you: 'you',
    created: (who: string) => `${who} created the group`,
    joined: (who: string) => `${who} joined`,
    added: (who: string, whom: readonly string[]) => `${who} added ${list(whom)}`,
    removed: (who: string, whom: readonly string[]) => `${who} removed ${list(whom)}`,
    left: (who: string) => `${who} left`,
    renamed: (who: string, title: string) => `${who} renamed the group to “${title}”`,
    described: (who: string) => `${who} changed the description`,
    pinned: (who: string) => `${who} pinned a message`,
    archived: (who: string) => `${who} archived the group`,
    unarchived: (who: string) => `${who} brought the group back from the archive`,
    settings: (who: string) => `${who} changed the group’s settings`,
  },

  threads: {
    title: 'Threads',
    titleUnread: (n: number) => `Threads, ${number(n)} unread`,
    reply: 'Reply in thread',
    replies: (n: number) => count(n, 'reply', 'replies'),
    lastReply: (when: string) => `last reply ${when}`,
    unread: (n: number) => `${number(n)} new`,
    inThread: 'Replied in a thread',
    also: 'Also send to the conversation',
  },

  pins: {
    title: 'Pinned messages',
    close: 'Close pinned messages',
    pin: 'Pin',
    unpin: 'Unpin',
    by: (name: string) => `Pinned by ${name}`,
    tooMany: 'There are too many pinned messages. Unpin one first.',
  },

  forward: {
    action: 'Forward',
    forwarded: 'Forwarded',
    from: (name: string) => `Forwarded from ${name}`,
  },

  revisions: {
    action: 'Edit history',
    show: 'edited. Show the earlier texts',
  },

  dates: {
    title: 'Jump to a date',
    from: (day: string) => `${day}. Jump to another date`,
  },

  mentions: {
    title: 'Mentions',
  },

  files: {
    attach: 'Attach files',
    drop: 'Drop files to attach them',
    tooMany: (n: number) => `A message has ${number(n)} files at most.`,
    picture: 'Photo',
    video: 'Video',
    audio: 'Audio',
    photos: (n: number) => count(n, 'photo', 'photos'),
    many: (n: number) => count(n, 'file', 'files'),
  },

  composer: {
    placeholder: (name: string) => `Message ${name}`,
    send: 'Send',
    editing: 'Editing message',
    replying: 'Replying to',
    suggestions: 'Suggestions',
    emoji: 'Emoji',
    formatting: 'Formatting',
    cancelReply: 'Cancel reply',
    saveEdit: 'Save changes',
    left: (n: number) => count(n, 'character left', 'characters left'),
    over: (n: number) => `${count(n, 'character', 'characters')} over the limit`,
    editOffline: 'You can save changes when you’re back online.',
  },

  typing: {
    one: (name: string) => `${name} is typing`,
    some: (names: readonly string[]) => `${list(names)} are typing`,
    many: (name: string, others: number) =>
      `${name} and ${others === 2 ? 'two' : number(others)} others are typing`,
    short: 'typing…',
  },

  presence: {
    online: 'Online',
    away: 'Away',
    dnd: 'Do not disturb',
    offline: 'Offline',
    invisible: 'Invisible',
    invisibleLead: 'You appear offline',
    lastSeen: (when: string) => `Last seen ${when}`,
  },

  notifications: {
    ask: 'Get notified of new messages while this page is in the background?',
    turnOn: 'Turn on',
    notNow: 'Not now',
    pageTitle: (unread: number, conversation: string | null) =>
      `${unread === 0 ? '' : `(${atMost(unread, 99)}) `}${conversation === null ? '' : `${conversation} · `}SyncTalk`,
    newMessage: NEW_MESSAGE.en,
    level: 'Notifications',
    muted: 'Muted',
  },

  search: {
    title: 'Search messages',
    inConversation: 'Search in this conversation',
    close: 'Close search',
  },
}

export type Texts = typeof texts
