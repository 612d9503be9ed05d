// SPDX-License-Identifier: Apache-2.0
// What happens while a transfer goes on: bytes come and go, a key is shown, time passes.

internal import Crypto
internal import Diagnostics
internal import Foundation
internal import Synchronization

/// The state of one transfer; only the queue of its session touches it.
final class CurlTransfer {
    let request: CurlRequest
    let place: Place
    private let access: TransferAccess
    private let stop: StopFlag
    private var file: DurableFile?
    private var source: UploadSource?
    private var lastCount = -1
    private var lastChange = ContinuousClock.now

    var answer = CurlAnswer()
    /// What a mailbox server said.
    private(set) var replies = MailboxReplies()
    /// Why the transfer was ended from our side.
    private(set) var failure: TransferError?
    /// The SSH key that the machine showed.
    private(set) var shownKey: String?

    init(
        _ request: CurlRequest, _ access: TransferAccess, _ place: Place, _ stop: StopFlag
    ) throws(TransferError) {
        self.request = request
        self.access = access
        self.place = place
        self.stop = stop
        do throws(FileError) {
            if case .file(let folder, _, _) = request.sink { file = try DurableFile(in: folder) }
            switch request.upload {
            case .file(let path): source = UploadSource(file: try LocalFile(path))
            case .bytes(let bytes): source = UploadSource(bytes: bytes)
            case nil: source = nil
            }
        } catch {
            throw Self.spooling(error)
        }
    }

    /// What keeps this machine from taking or giving the bytes, which says nothing of the file and may pass.
    private static func spooling(_ error: FileError) -> TransferError {
        TransferError(
            .spool, error.diagnostic.facts, at: error.diagnostic.place, retry: .after(.seconds(300)))
    }

    // MARK: - Bytes

    /// - Returns: how many bytes were taken; fewer than there are end the transfer.
    func receive(_ buffer: UnsafeRawBufferPointer) -> Int {
        let bytes = unsafe Array(buffer)
        // The page that explains an error is not what was wanted.
        if answer.status >= 400 { return bytes.count }
        switch request.sink {
        case .memory(let limit): return take(bytes, limit) { answer.bytes.append(contentsOf: $0) }
        case .file(_, _, let limit):
            return take(bytes, limit) { bytes in
                do throws(FileError) {
                    try file?.write(bytes)
                } catch {
                    failure = Self.spooling(error)
                }
            }
        }
    }

    private func take(_ bytes: [UInt8], _ limit: Int, _ keep: ([UInt8]) -> Void) -> Int {
        answer.received += bytes.count
        guard answer.received <= limit else {
            failure = TransferError(.tooLarge, ["limit": String(limit)], at: place)
            return 0
        }
        keep(bytes)
        return failure == nil ? bytes.count : 0
    }

    /// The last block of headers counts: those before it belong to redirects.
    func header(_ bytes: UnsafeRawBufferPointer) -> Int {
        let line = unsafe String(decoding: bytes, as: UTF8.self)
        if request.scheme.hasPrefix("imap") { replies.take(line) }
        if line.hasPrefix("HTTP/") {
            answer.headers = [:]
            answer.status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        }
        if let colon = line.firstIndex(of: ":"), answer.headers.count < 200 {
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
            answer.headers[line[..<colon].lowercased()] = value
        }
        return bytes.count
    }

    /// Bytes of the upload; nil ends the transfer.
    func send(into room: UnsafeMutableRawBufferPointer) -> Int? {
        do throws(FileError) {
            return unsafe try source?.next(into: room) ?? 0
        } catch {
            failure = Self.spooling(error)
            return nil
        }
    }

    /// Bytes that the upload will have.
    var uploadSize: Int? { source?.size }

    /// Gives what was received its name.
    func closed() throws(TransferError) -> CurlAnswer {
        guard case .file(_, let name, _) = request.sink else { return answer }
        do throws(FileError) {
            try file?.finish(as: name)
            return answer
        } catch {
            throw Self.spooling(error)
        }
    }

    // MARK: - The other machine

    /// False ends the transfer: somebody wants that, or nothing has come for too long.
    func mayGoOn(after count: Int) -> Bool {
        if stop.isSet.load(ordering: .relaxed) {
            failure = TransferError(.cancelled, at: place)
            return false
        }
        if count != lastCount {
            lastCount = count
            lastChange = .now
        }
        guard ContinuousClock.now - lastChange <= access.silence else {
            let facts = ["detail": "\(access.silence.milliseconds / 1000) s"]
            failure = TransferError(.silent, facts, at: place, retry: .after(.seconds(60)))
            return false
        }
        return true
    }

    /// Whether the machine is the one that is meant, by the key that it shows.
    func knows(hostKey: UnsafeRawBufferPointer) -> Bool {
        let digest = unsafe SHA256.hash(data: hostKey)
        let key = Data(digest).base64EncodedString().trimmingCharacters(in: ["="])
        shownKey = "SHA256:" + key
        let known = access.hostKeys.map {
            $0.replacing("SHA256:", with: "").trimmingCharacters(in: ["=", " "])
        }
        guard known.contains(key) else {
            failure = TransferError(
                .hostKey, ["key": "SHA256:" + key, "known": access.hostKeys.joined(separator: ", ")],
                at: place)
            return false
        }
        return true
    }
}

/// What is sent, piece by piece.
private struct UploadSource: ~Copyable {
    private let file: LocalFile?
    private var bytes: ArraySlice<UInt8>
    let size: Int

    init(file: consuming LocalFile) {
        size = file.size
        self.file = consume file
        bytes = []
    }

    init(bytes: [UInt8]) {
        size = bytes.count
        file = nil
        self.bytes = bytes[...]
    }

    mutating func next(into room: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        var part = Array(bytes.prefix(room.count))
        bytes = bytes.dropFirst(part.count)
        if let read = try file?.read(upTo: room.count) { part = read }
        unsafe room.copyBytes(from: part)
        return part.count
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
