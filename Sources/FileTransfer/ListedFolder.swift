// SPDX-License-Identifier: Apache-2.0
// A folder of an SFTP or FTP server: a listing for people, and commands.

internal import Diagnostics
internal import Foundation

/// SFTP (draft-ietf-secsh-filexfer-02, as OpenSSH speaks it) and FTP over TLS (RFC 959, RFC 4217).
struct ListedFolder: RemoteFolder {
    let address: RemoteAddress
    let session: CurlSession
    let names: FileNames

    var shown: String { address.shown }
    var isWritable: Bool { true }

    func list() async throws(TransferError) -> RemoteListing {
        guard isSSH else { return try await listByFTP() }
        return listing(try await session.perform(request(address.url(of: ""))))
    }

    /// Servers list a folder that is not there as one that is empty; only entering it tells.
    private func listByFTP() async throws(TransferError) -> RemoteListing {
        var request = request(address.url(ofPath: "/"))
        request.isAlone = true
        if address.folder != "/" { request.commands = ["CWD \(path(""))"] }
        do {
            return listing(try await session.perform(request))
        } catch  where error.has(.refused) {
            throw TransferError(.missing, at: Place(file: address.shown))
        }
    }

    private func listing(_ answer: CurlAnswer) -> RemoteListing {
        RemoteListing(lines: answer.bytes, names: names, folder: address.shown)
    }

    func fetch(
        _ file: RemoteFile, into folder: String, as name: String, limit: Int
    ) async throws(TransferError) {
        var request = request(address.url(of: file.name))
        request.sink = .file(folder: folder, name: name, limit: limit)
        try await session.fetch(request, file, at: address.shown)
    }

    func store(_ path: String, as name: String) async throws(TransferError) {
        let unfinished = ".\(UUID().uuidString).part"
        var request = request(address.url(of: unfinished))
        request.upload = .file(path)
        _ = try await session.perform(request)
        try await compare(unfinished, path)
        // SSH servers rename over nothing; an asterisk lets libcurl go on where nothing is.
        try await run((isSSH ? ["*rm \(quoted(name))"] : []) + rename(unfinished, to: name))
    }

    /// Asks an FTP server how much of an upload it has: one that loses the end of it does not say so.
    private func compare(_ name: String, _ path: String) async throws(TransferError) {
        guard !isSSH else { return }
        var request = request(address.url(of: name))
        request.isBodyless = true
        guard let size = try await session.perform(request).headers["content-length"].flatMap({ Int($0) }),
            let expected = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int,
            size != expected
        else { return }
        throw TransferError(
            .length, ["expected": String(expected), "size": String(size)],
            at: Place(file: shown + name), retry: .after(.seconds(60)))
    }

    func move(_ file: RemoteFile, to folder: String) async throws(TransferError) {
        // Files of one name arrive every day; none takes the place of another.
        let (same, other) = (
            "\(folder)/\(file.name)", "\(folder)/\(UUID().uuidString.prefix(8))-\(file.name)"
        )
        let name = try await mayRename(to: same) ? same : other
        do {
            try await run([makeFolder(folder)] + rename(file.name, to: name))
        } catch  where error.has(.refused) && name == same {
            try await run(rename(file.name, to: other))
        }
    }

    /// FTP servers rename over what is there, without a word; only 550 says that nothing is. SSH servers refuse.
    private func mayRename(to name: String) async throws(TransferError) -> Bool {
        guard !isSSH else { return true }
        do {
            try await run(["MDTM \(path(name))"])
            return false
        } catch  where error.has(.refused) {
            return error.diagnostic.facts["detail"] == "550"
        }
    }

    func delete(_ file: RemoteFile) async throws(TransferError) {
        try await run([isSSH ? "rm \(quoted(file.name))" : "DELE \(path(file.name))"])
    }

    // MARK: - Commands

    private var isSSH: Bool { address.scheme == .sftp }

    private func request(_ url: String) -> CurlRequest {
        var request = CurlRequest(url: url, scheme: address.scheme.protocolName)
        request.needsTLS = !isSSH
        return request
    }

    private func run(_ commands: [String]) async throws(TransferError) {
        var request = request(address.url(of: ""))
        request.isBodyless = true
        request.commands = commands
        _ = try await session.perform(request)
    }

    private func rename(_ name: String, to other: String) -> [String] {
        isSSH
            ? ["rename \(quoted(name)) \(quoted(other))"] : ["RNFR \(path(name))", "RNTO \(path(other))"]
    }

    /// An asterisk lets libcurl go on when the folder is there already.
    private func makeFolder(_ name: String) -> String {
        isSSH ? "*mkdir \(quoted(name))" : "*MKD \(path(name))"
    }

    /// FTP paths start from where the login leads, as in its addresses (RFC 1738, section 3.2.2).
    private func path(_ name: String) -> String { String((address.folder + name).dropFirst()) }

    private func quoted(_ name: String) -> String {
        let escaped = (address.folder + name).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\""
    }
}

extension CurlSession {
    /// Fetches a file and compares its size with what was said of it.
    func fetch(_ request: CurlRequest, _ file: RemoteFile, at shown: String) async throws(TransferError) {
        let answer = try await perform(request)
        guard let size = file.size, size != answer.received else { return }
        if case .file(let folder, let name, _) = request.sink {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        throw TransferError(
            .length, ["expected": String(size), "size": String(answer.received)],
            at: Place(file: shown + file.name), retry: .after(.seconds(60)))
    }
}
