// SPDX-License-Identifier: Apache-2.0
// Hears of files that arrive in folders of this machine, so that nobody has to wait for the next look.

internal import Blocking
internal import Glibc

/// Watches folders through inotify. Hearing is a hint: a look at the folder decides, and comes by itself too.
package actor FolderWatch {
    private let executor = SerialQueueExecutor(label: "relais.watch")
    private let descriptor: Int32
    private var folders: [Int32: String] = [:]

    /// Its own queue: hearing waits.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Nil where the machine cannot tell.
    package init?() {
        descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard descriptor >= 0 else { return nil }
    }

    deinit {
        close(descriptor)
    }

    /// Watches these folders and no others; one that is not there is left out until it is named again.
    package func watch(_ paths: Set<String>) {
        for (number, path) in folders where !paths.contains(path) {
            inotify_rm_watch(descriptor, number)
            folders[number] = nil
        }
        let known = Set(folders.values)
        for path in paths.subtracting(known) {
            let number = unsafe inotify_add_watch(
                descriptor, path, UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR))
            if number >= 0 { folders[number] = path }
        }
    }

    /// The folders in which a file was closed after writing, or moved, since the last time; waits for at most `seconds`.
    package func changed(within seconds: Int) -> Set<String> {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&request, 1, Int32(seconds * 1000)) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var changed: Set<String> = []
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe read(descriptor, bytes.baseAddress, bytes.count)
            }
            guard count > 0 else { return changed }
            unsafe buffer.withUnsafeBytes { bytes in
                var offset = 0
                while offset + MemoryLayout<inotify_event>.size <= count {
                    let event = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    // Too much at once: everything may have changed.
                    if event.wd < 0 { changed.formUnion(folders.values) }
                    if let path = folders[event.wd] { changed.insert(path) }
                    if event.mask & UInt32(IN_IGNORED) != 0 { folders[event.wd] = nil }
                    offset += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
    }
}
