// SPDX-License-Identifier: Apache-2.0
// One file of a web server, fetched again when its ETag has changed.

internal import Diagnostics
internal import Foundation

/// A file at a web address (RFC 9110). It is read only.
struct WebFile: RemoteFolder {
    let address: RemoteAddress
    let session: CurlSession

    var shown: String { address.shown }
    var isWritable: Bool { false }

    private var name: String {
        let last = address.path.split(separator: "/").last.map(String.init) ?? ""
        return FileNames.name(Array(last.utf8)) == nil || last.isEmpty ? "download" : last
    }

    /// The file as the server describes it. One that describes nothing is fetched each time.
    func list() async throws(TransferError) -> RemoteListing {
        var request = CurlRequest(url: address.url, scheme: address.scheme.protocolName)
        request.isBodyless = true
        do {
            let headers = try await session.perform(request).headers
            let stamp = headers["etag"] ?? headers["last-modified"] ?? ""
            return RemoteListing(files: [RemoteFile(name: name, size: nil, stamp: stamp)])
        } catch  where error.has(.answer) && ["405", "501"].contains(error.diagnostic.facts["detail"]) {
            // It does not know HEAD.
            return RemoteListing(files: [RemoteFile(name: name, size: nil, stamp: "")])
        }
    }

    func fetch(
        _ file: RemoteFile, into folder: String, as name: String, limit: Int
    ) async throws(TransferError) {
        var request = CurlRequest(url: address.url, scheme: address.scheme.protocolName)
        request.sink = .file(folder: folder, name: name, limit: limit)
        let answer = try await session.perform(request)
        guard Self.isPage(answer, "\(folder)/\(name)") else { return }
        try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        throw TransferError(.page, at: Place(file: address.shown))
    }

    /// A page for people, such as the one that asks for a password, where a file was wanted.
    private static func isPage(_ answer: CurlAnswer, _ path: String) -> Bool {
        if answer.headers["content-type"]?.lowercased().hasPrefix("text/html") == true { return true }
        let head = (try? LocalFile(path).read(at: 0..<256)) ?? []
        let text = String(decoding: head, as: UTF8.self).lowercased()
            .trimmingCharacters(in: .whitespacesAndNewlines)
        return text.hasPrefix("<!doctype html") || text.hasPrefix("<html")
    }

    func store(_ path: String, as name: String) async throws(TransferError) {
        var request = CurlRequest(url: address.url, scheme: address.scheme.protocolName)
        request.upload = .file(path)
        _ = try await session.perform(request)
    }

    func move(_ file: RemoteFile, to folder: String) async throws(TransferError) {
        throw TransferError(.refused, at: Place(file: address.shown))
    }

    func delete(_ file: RemoteFile) async throws(TransferError) {
        throw TransferError(.refused, at: Place(file: address.shown))
    }
}
