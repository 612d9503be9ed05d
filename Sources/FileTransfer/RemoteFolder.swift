// SPDX-License-Identifier: Apache-2.0
// A folder of another machine: what every transport can do with it.

package import Diagnostics

/// Where files are fetched from and put, whatever is spoken there.
package protocol RemoteFolder: Sendable {
    /// How messages name it: never with a name or a password.
    var shown: String { get }
    /// Whether files there can be moved and deleted.
    var isWritable: Bool { get }

    /// What is there now.
    func list() async throws(TransferError) -> RemoteListing

    /// Writes a file's bytes to `folder/name` of this machine, which has all of them or does not exist.
    ///
    /// - Throws: `TRANSFER-LENGTH` when there are more or fewer bytes than the folder said.
    func fetch(_ file: RemoteFile, into folder: String, as name: String, limit: Int)
        async throws(TransferError)

    /// Puts a file of this machine there, in the place of one of its name; under its name it has all its bytes or does not
    /// exist.
    func store(_ path: String, as name: String) async throws(TransferError)

    /// Moves a file into a folder beside it, which is made where it does not exist.
    func move(_ file: RemoteFile, to folder: String) async throws(TransferError)

    /// Deletes a file.
    func delete(_ file: RemoteFile) async throws(TransferError)
}

/// A file of another machine.
package struct RemoteFile: Sendable, Hashable, Codable {
    /// Its name there; never a path of this machine.
    package let name: String
    /// Bytes; nil where the machine does not say.
    package let size: Int?
    /// What tells it from its later self: a time or an ETag, as the machine wrote it.
    package let stamp: String

    /// A file.
    package init(name: String, size: Int?, stamp: String) {
        self.name = name
        self.size = size
        self.stamp = stamp
    }
}

/// What was found in a folder of another machine.
package struct RemoteListing: Sendable, Hashable {
    /// Files by name.
    package var files: [RemoteFile] = []
    /// What cannot be fetched, and why.
    package var problems: [Diagnostic] = []

    /// What some lines say; `names` says what is meant.
    init(lines bytes: [UInt8], names: FileNames, folder: String) {
        for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            guard let entry = ListLine(Array(line)) else {
                if line.starts(with: "total ".utf8) { continue }
                let place = Place(file: folder, value: FileNames.shown(Array(line)))
                problems.append(TransferError(.listing, at: place).diagnostic)
                continue
            }
            add(entry, names, folder)
        }
        files.sort { $0.name < $1.name }
    }

    /// A listing of nothing yet.
    init() {}

    /// A listing of files already read.
    init(files: [RemoteFile]) {
        self.files = files.sorted { $0.name < $1.name }
    }

    private mutating func add(_ entry: ListLine, _ names: FileNames, _ folder: String) {
        guard entry.kind != .folder else { return }
        guard let name = FileNames.name(entry.name) else {
            let place = Place(file: folder + FileNames.shown(entry.name))
            return problems.append(FileError(.name, at: place).diagnostic)
        }
        guard names.isMeant(name) else { return }
        switch entry.kind {
        case .file: files.append(RemoteFile(name: name, size: entry.size, stamp: entry.stamp))
        case .link: problems.append(FileError(.link, at: Place(file: folder + name)).diagnostic)
        default: problems.append(FileError(.special, at: Place(file: folder + name)).diagnostic)
        }
    }
}

/// The folder at an address.
package enum RemoteFolders {
    /// Makes the transport that an address asks for.
    ///
    /// - Parameter pattern: names that are meant, with `*`, `?` and `[…]`; all when empty.
    /// - Throws: `TRANSFER-ADDRESS` for what keeps no files.
    package static func open(
        _ address: RemoteAddress, _ access: TransferAccess, pattern: String = ""
    ) throws(TransferError) -> any RemoteFolder {
        var access = access
        if !address.user.isEmpty { access.user = address.user }
        let session = CurlSession(access, address: address.shown)
        let names = FileNames(pattern: pattern)
        switch address.scheme {
        case .sftp, .ftps, .ftpes: return ListedFolder(address: address, session: session, names: names)
        case .dav, .davs: return WebFolder(address: address, session: session, names: names)
        case .s3, .s3http:
            return BucketFolder(
                address: address, session: CurlSession(access.withoutPassword, address: address.shown),
                names: names,
                signature: BucketSignature(
                    keyID: access.user, secret: access.password, region: access.region))
        case .http, .https: return WebFile(address: address, session: session)
        case .imap, .imaps: throw RemoteAddress.noFolder(address.shown)
        }
    }
}
