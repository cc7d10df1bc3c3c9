import type { File as StoredFile } from '@synctalk/client/contracts'
import { kindOf } from '@synctalk/client/chat/files'
import { useMessageActions } from '../actions'
import { FileCard } from './FileCard'
import { singleSize, sorted, tileSize } from './layout'
import { Media } from './Media'
import { Picture } from './Picture'
import { memo } from '@/lib-react/language'

/** The files of a message, below its text: pictures as they look, what can be played in place, the others as cards. */
export default memo(function MessageFiles({ files }: { files: readonly StoredFile[] }) {
  const { showPicture } = useMessageActions()
  if (files.length === 0) return null
  const { pictures, others } = sorted(files)
  const sizeOf = pictures.length === 1 ? singleSize : tileSize
  return (
    <div className="flex flex-col gap-1.5 pt-1 pb-0.5">
      {pictures.length > 0 && (
        <div
          className={`flex flex-wrap gap-1.5 ${pictures.length > 1 ? 'max-sm:grid max-sm:max-w-72 max-sm:grid-cols-2 max-sm:*:aspect-square! max-sm:*:w-full!' : ''}`}
        >
          {pictures.map((file, index) => (
            <Picture
              key={file.id}
              file={file}
              size={sizeOf(file)}
              onOpen={() => showPicture(pictures, index)}
            />
          ))}
        </div>
      )}
      {others.map((file) =>
        kindOf(file) === 'other' ? (
          <FileCard key={file.id} file={file} />
        ) : (
          <Media key={file.id} file={file} />
        ),
      )}
    </div>
  )
})
