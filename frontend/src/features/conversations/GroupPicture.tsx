import { PictureChoice } from '@/components/PictureChoice'
import type { Summary } from '@synctalk/client/chat/summaries'
import { useLive } from '@/lib-react/session'

/** Where an admin chooses the picture of a group. */
export function GroupPicture({ summary: { id, picture, role } }: { summary: Summary }) {
  const { conversations } = useLive()
  if (role !== 'owner' && role !== 'admin') return null
  return (
    <div className="mt-2 mb-3 flex justify-center">
      <PictureChoice
        current={picture}
        onChange={(url) => conversations.changeGroup(id, { avatar_url: url })}
      />
    </div>
  )
}
