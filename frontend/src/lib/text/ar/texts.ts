/** The texts of the first load in Arabic. */
import type { Texts } from '../en/texts'
import { atMost, list, number } from '../inUse'
import { pluralsOf } from '../plurals'
import { NEW_MESSAGE } from '../newMessage'

const plural = pluralsOf('ar')

const YOU = 'أنت'
/** As the object of a verb. */
const YOU_TOO = 'إياك'

/** Who did it, and what: the verb has another form where it was the reader. */
const did = (who: string, others: string, you: string): string =>
  who === YOU ? you : others.replace('#', who)

const members = (n: number): string =>
  plural(n, {
    zero: 'لا أعضاء',
    one: 'عضو واحد',
    two: 'عضوان',
    few: '# أعضاء',
    many: '# عضوًا',
    other: '# عضو',
  })

const newMessages = (n: number): string =>
  plural(n, {
    zero: 'لا رسائل جديدة',
    one: 'رسالة جديدة واحدة',
    two: 'رسالتان جديدتان',
    few: '# رسائل جديدة',
    many: '# رسالة جديدة',
    other: '# رسالة جديدة',
  })

const others = (n: number): string =>
  plural(n, {
    zero: 'لا أحد غيرهم',
    one: 'شخص آخر',
    two: 'شخصان آخران',
    few: '# أشخاص آخرين',
    many: '# شخصًا آخر',
    other: '# شخص آخر',
  })

const reactions = (n: number): string =>
  plural(n, {
    zero: 'لا تفاعلات',
    one: 'تفاعل واحد',
    two: 'تفاعلان',
    few: '# تفاعلات',
    many: '# تفاعلًا',
    other: '# تفاعل',
  })

export const texts: Texts = {
  product: 'SyncTalk',
  loading: 'جارٍ التحميل',
  cancel: 'إلغاء',
  close: 'إغلاق',
  back: 'رجوع',
  save: 'حفظ',
  saved: 'تم الحفظ',
  tryAgain: 'إعادة المحاولة',
  optional: 'اختياري',
  somethingWrong: 'حدث خطأ ما.',
  you: YOU,
  someone: 'شخص ما',
  skipToConversation: 'الانتقال إلى المحادثة',
  pageBroke: 'حدث خطأ ما في هذه الصفحة.',
  reload: 'إعادة التحميل',
  notFound: 'هذه الصفحة غير موجودة.',
  goHome: 'الذهاب إلى محادثاتك',

  failures: {
    network: 'أنت غير متصل. أعد المحاولة عند عودة الاتصال.',
    timeout: 'استغرق ذلك وقتًا طويلًا. أعد المحاولة.',
    unavailable: 'هذا غير متاح الآن. أعد المحاولة بعد قليل.',
    rate_limited: 'كررت ذلك مرات كثيرة. انتظر قليلًا ثم أعد المحاولة.',
    forbidden: 'ليس لديك إذن لفعل ذلك.',
    not_found: 'هذا غير موجود، أو حُذف.',
    invalid_credentials: 'اسم المستخدم أو كلمة المرور غير صحيحة.',
    wrong_password: 'كلمة المرور الحالية غير صحيحة.',
    username_taken: 'اسم المستخدم هذا مستخدَم بالفعل.',
    too_large: 'هذا أطول من اللازم.',
    invalid: 'تحقق مما أدخلته ثم أعد المحاولة.',
    conflict: 'أجرى شخص آخر تغييرًا في الوقت نفسه. أعد المحاولة.',
    other: 'حدث خطأ ما. أعد المحاولة.',
  },

  problems: {
    username: 'لا يمكن استخدام اسم المستخدم هذا. اختر اسمًا آخر.',
    display_name: 'هذا الاسم طويل جدًا أو يحتوي على رموز غير مرئية.',
    password: 'كلمة المرور هذه سهلة التخمين. اختر كلمة أخرى.',
    new_password: 'كلمة المرور هذه سهلة التخمين. اختر كلمة أخرى.',
    title: 'هذا الاسم طويل جدًا أو يحتوي على رموز غير مرئية.',
    description: 'هذا النص طويل جدًا أو يحتوي على رموز غير مرئية.',
    avatar_url: 'أدخل عنوان صورة يبدأ بـ \u2066https://\u2069',
  },

  connection: {
    offline: 'أنت غير متصل. ستُرسل الرسائل عند عودة الاتصال.',
    reconnecting: 'جارٍ إعادة الاتصال… ستُرسل الرسائل بعد لحظات.',
  },

  conversations: {
    account: 'حسابك وحالتك',
    title: 'المحادثات',
    filter: 'تصفية',
    filterLabel: 'تصفية المحادثات بالاسم',
    clearFilter: 'مسح التصفية',
    new: 'محادثة جديدة',
    none: 'لا محادثات بعد',
    noneLead: 'ابحث عن شخص باسمه وألقِ التحية.',
    noMatch: (name) => `لا توجد محادثة تطابق «${name}».`,
    unread: (n) =>
      plural(n, {
        zero: 'لا رسائل غير مقروءة',
        one: 'رسالة واحدة غير مقروءة',
        two: 'رسالتان غير مقروءتين',
        few: '# رسائل غير مقروءة',
        many: '# رسالة غير مقروءة',
        other: '# رسالة غير مقروءة',
      }),
    draft: 'مسودة:',
    noMessages: 'لا رسائل بعد',
    after: ': ',
    untitled: 'مجموعة بلا اسم',
    choose: 'اختر محادثة',
    chooseLead: 'أو ابدأ محادثة جديدة. اضغط \u2066Ctrl+K\u2069 للانتقال إلى أي مكان.',
    welcome: (name) => `مرحبًا، ${name}`,
    findUsers: 'البحث عن أشخاص',
    guestLead: 'سترى هنا المحادثات التي تُدعى إليها.',
    welcomeLead: 'مع من تود التحدث؟',
    resize: 'عرض قائمة المحادثات',
    removed: (title) => `لم تعد في «${title}».`,
    couldNotLoad: 'تعذر تحميل محادثاتك.',
    sections: { pinned: 'المثبتة', group: 'المجموعات', direct: 'الرسائل المباشرة', hidden: 'المخفية' },
    actionsFor: (title) => `خيارات ${title}`,
    pin: 'تثبيت',
    unpin: 'إلغاء التثبيت',
    pinned: 'مثبتة',
    hide: 'إخفاء حتى الرسالة التالية',
    unhide: 'إظهار في القائمة',
    markUnread: 'تحديد كغير مقروءة',
    markRead: 'تحديد كمقروءة',
    markedUnread: 'محددة كغير مقروءة',
    mentions: (n) =>
      plural(n, {
        zero: 'لا إشارات',
        one: 'إشارة واحدة',
        two: 'إشارتان',
        few: '# إشارات',
        many: '# إشارة',
        other: '# إشارة',
      }),
  },

  details: {
    title: 'التفاصيل',
    open: 'إظهار التفاصيل',
    hide: 'إخفاء التفاصيل',
    archived: 'مؤرشفة',
    membersCount: members,
    membersOnline: (n, online) => `${members(n)}، المتصلون ${number(online)}`,
  },

  messages: {
    history: 'الرسائل',
    today: 'اليوم',
    yesterday: 'أمس',
    newLine: 'جديد',
    newMessages,
    markRead: 'تحديد كمقروءة',
    toNewest: 'الانتقال إلى أحدث رسالة',
    cameBelow: (n) => `الانتقال إلى أحدث رسالة، ${newMessages(n)}`,
    startDirect: (name) => `هذه بداية محادثتك مع ${name}.`,
    startGroup: (title) => `هذه بداية «${title}».`,
    edited: 'معدَّلة',
    interrupted: 'انقطعت',
    deleted: 'حُذفت الرسالة',
    actions: 'إجراءات الرسالة',
    report: 'إبلاغ',
    moreActions: 'إجراءات أخرى',
    reply: 'رد',
    inReplyTo: 'ردًا على',
    toQuoted: 'الانتقال إلى هذه الرسالة',
    edit: 'تعديل',
    copy: 'نسخ النص',
    copyLink: 'نسخ الرابط',
    copied: 'تم النسخ',
    delete: 'حذف',
    deleteQuestion: 'هل تريد حذف هذه الرسالة لدى الجميع؟',
    sending: 'جارٍ الإرسال',
    sent: 'أُرسلت',
    delivered: 'وصلت',
    read: 'قُرئت',
    failed: 'لم تُرسل',
    retry: 'إعادة الإرسال',
    discard: 'تجاهل',
    takeBack: 'تعديل قبل الإرسال',
    showMore: 'عرض المزيد',
    previews: (n) =>
      plural(n, {
        zero: 'لا معاينات',
        one: 'معاينة الرابط',
        two: 'معاينتا رابطين',
        few: '# معاينات للروابط',
        many: '# معاينة للروابط',
        other: '# معاينة للروابط',
      }),
    spoiler: 'إظهار النص المخفي',
    table: 'جدول',
    showLess: 'عرض أقل',
    whoRead: 'قرأها',
    whoGot: 'وصلت إلى',
    whoNot: 'لم تصل بعد إلى',
    receipts: 'من قرأ هذه الرسالة',
    readBySome: (state, n) => `${state}، قرأها ${number(n)}`,
    receiptsFor: (state) => `${state}. عرض الأسماء`,
    couldNotLoad: 'تعذر تحميل الرسائل.',
    failures: {
      forbidden: 'لا يمكنك إرسال رسائل هنا.',
      not_found: 'لم تعد في هذه المحادثة.',
      too_large: 'الرسالة طويلة جدًا.',
      invalid: 'رُفضت الرسالة.',
      unavailable: 'الخادم غير متاح.',
      timeout: 'لم يستجب الخادم.',
      rate_limited: 'رسائل كثيرة دفعة واحدة.',
      other: 'تعذر إرسالها.',
    },
    announce: (name, body) => `${name}: ${body}`,
  },

  reactions: {
    title: 'التفاعلات',
    add: 'إضافة تفاعل',
    with: (emoji) => `التفاعل بـ ${emoji}`,
    chip: (emoji, n) => `${emoji}، ${reactions(n)}`,
    names: (names, more) => list(more > 0 ? [...names, others(more)] : names),
    who: 'مَن؟',
    none: 'لا تفاعلات.',
    more: (n) => `و${others(n)}`,
  },

  system: {
    you: YOU_TOO,
    created: (who) => did(who, 'أنشأ # المجموعة', 'أنشأتَ المجموعة'),
    joined: (who) => did(who, 'انضم #', 'انضممتَ'),
    added: (who, whom) => (isYou(whom) ? `أضافك ${who}` : `${did(who, 'أضاف #', 'أضفتَ')} ${list(whom)}`),
    removed: (who, whom) => (isYou(whom) ? `أزالك ${who}` : `${did(who, 'أزال #', 'أزلتَ')} ${list(whom)}`),
    left: (who) => did(who, 'غادر #', 'غادرتَ'),
    renamed: (who, title) => `${did(who, 'غيّر # اسم المجموعة', 'غيّرتَ اسم المجموعة')} إلى «${title}»`,
    described: (who) => did(who, 'غيّر # الوصف', 'غيّرتَ الوصف'),
    pinned: (who) => did(who, 'ثبّت # رسالة', 'ثبّتَّ رسالة'),
    archived: (who) => did(who, 'أرشف # المجموعة', 'أرشفتَ المجموعة'),
    unarchived: (who) => did(who, 'أعاد # المجموعة من الأرشيف', 'أعدتَ المجموعة من الأرشيف'),
    settings: (who) => did(who, 'غيّر # إعدادات المجموعة', 'غيّرتَ إعدادات المجموعة'),
  },

  threads: {
    title: 'سلاسل الردود',
    titleUnread: (n) => `سلاسل الردود، ${number(n)} غير مقروءة`,
    reply: 'الرد في السلسلة',
    replies: (n) =>
      plural(n, {
        zero: 'لا ردود',
        one: 'رد واحد',
        two: 'ردّان',
        few: '# ردود',
        many: '# ردًا',
        other: '# رد',
      }),
    lastReply: (when) => `آخر رد ${when}`,
    unread: (n) =>
      plural(n, {
        zero: 'لا جديد',
        one: 'رد جديد',
        two: 'ردّان جديدان',
        few: '# جديدة',
        many: '# جديدًا',
        other: '# جديد',
      }),
    inThread: 'رد في سلسلة',
    also: 'الإرسال إلى المحادثة أيضًا',
  },

  pins: {
    title: 'الرسائل المثبتة',
    close: 'إغلاق الرسائل المثبتة',
    pin: 'تثبيت',
    unpin: 'إلغاء التثبيت',
    by: (name) => `ثبّتها ${name}`,
    tooMany: 'عدد الرسائل المثبتة كبير جدًا. ألغِ تثبيت واحدة أولًا.',
  },

  forward: {
    action: 'إعادة توجيه',
    forwarded: 'مُعاد توجيهها',
    from: (name) => `مُعاد توجيهها من ${name}`,
  },

  revisions: {
    action: 'سجل التعديلات',
    show: 'معدَّلة. عرض النصوص السابقة',
  },

  dates: {
    title: 'الانتقال إلى تاريخ',
    from: (day) => `${day}. الانتقال إلى تاريخ آخر`,
  },

  mentions: {
    title: 'الإشارات',
  },

  files: {
    attach: 'إرفاق ملفات',
    drop: 'أفلت الملفات لإرفاقها',
    tooMany: (n) =>
      plural(n, {
        zero: 'لا يمكن إرفاق ملفات بالرسالة.',
        one: 'يمكن إرفاق ملف واحد بالرسالة على الأكثر.',
        two: 'يمكن إرفاق ملفين بالرسالة على الأكثر.',
        few: 'يمكن إرفاق # ملفات بالرسالة على الأكثر.',
        many: 'يمكن إرفاق # ملفًا بالرسالة على الأكثر.',
        other: 'يمكن إرفاق # ملف بالرسالة على الأكثر.',
      }),
    picture: 'صورة',
    video: 'فيديو',
    audio: 'مقطع صوتي',
    photos: (n) =>
      plural(n, {
        zero: 'لا صور',
        one: 'صورة واحدة',
        two: 'صورتان',
        few: '# صور',
        many: '# صورة',
        other: '# صورة',
      }),
    many: (n) =>
      plural(n, {
        zero: 'لا ملفات',
        one: 'ملف واحد',
        two: 'ملفان',
        few: '# ملفات',
        many: '# ملفًا',
        other: '# ملف',
      }),
  },

  composer: {
    placeholder: (name) => `رسالة إلى ${name}`,
    send: 'إرسال',
    editing: 'تعديل الرسالة',
    replying: 'الرد على',
    suggestions: 'اقتراحات',
    emoji: 'رموز تعبيرية',
    formatting: 'التنسيق',
    cancelReply: 'إلغاء الرد',
    saveEdit: 'حفظ التغييرات',
    left: (n) =>
      plural(n, {
        zero: 'لم يبقَ أي حرف',
        one: 'بقي حرف واحد',
        two: 'بقي حرفان',
        few: 'بقيت # أحرف',
        many: 'بقي # حرفًا',
        other: 'بقي # حرف',
      }),
    over: (n) =>
      plural(n, {
        zero: 'عند الحد الأقصى',
        one: 'حرف واحد فوق الحد',
        two: 'حرفان فوق الحد',
        few: '# أحرف فوق الحد',
        many: '# حرفًا فوق الحد',
        other: '# حرف فوق الحد',
      }),
    editOffline: 'يمكنك حفظ التغييرات عند عودة الاتصال.',
  },

  typing: {
    one: (name) => `${name} يكتب الآن`,
    some: (names) => `${list(names)} يكتبان الآن`,
    many: (name, n) => `${name} و${others(n)} يكتبون الآن`,
    short: 'يكتب الآن…',
  },

  presence: {
    online: 'متصل',
    away: 'بعيد',
    dnd: 'عدم الإزعاج',
    offline: 'غير متصل',
    invisible: 'مخفي',
    invisibleLead: 'تظهر للآخرين غير متصل',
    lastSeen: (when) => `آخر ظهور ${when}`,
  },

  notifications: {
    ask: 'هل تريد تلقي إشعارات بالرسائل الجديدة عندما تكون هذه الصفحة في الخلفية؟',
    turnOn: 'تشغيل',
    notNow: 'ليس الآن',
    pageTitle: (unread, conversation) =>
      `${unread === 0 ? '' : `(${atMost(unread, 99)}) `}${conversation === null ? '' : `${conversation} · `}SyncTalk`,
    newMessage: NEW_MESSAGE.ar,
    level: 'الإشعارات',
    muted: 'مكتومة',
  },

  search: {
    title: 'البحث في الرسائل',
    inConversation: 'البحث في هذه المحادثة',
    close: 'إغلاق البحث',
  },
}

function isYou(whom: readonly string[]): boolean {
  return whom.length === 1 && whom[0] === YOU_TOO
}
