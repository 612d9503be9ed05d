// SPDX-License-Identifier: Apache-2.0
// A folder of a web server: WebDAV.

internal import Diagnostics
internal import Foundation

/// A collection of a WebDAV server (RFC 4918).
struct WebFolder: RemoteFolder {
    let address: RemoteAddress
    let session: CurlSession
    let names: FileNames

    var shown: String { address.shown }
    var isWritable: Bool { true }

    private func request(_ url: String, _ method: String? = nil) -> CurlRequest {
        var request = CurlRequest(url: url, scheme: address.scheme.protocolName)
        request.method = method
        return request
    }

    /// - Source: RFC 4918, sections 9.1 and 15.
    func list() async throws(TransferError) -> RemoteListing {
        var request = request(address.url(of: ""), "PROPFIND")
        request.headers = ["Depth: 1", "Content-Type: application/xml; charset=utf-8"]
        request.body = Array(
            """
            <?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><getcontentlength/><getetag/>\
            <getlastmodified/><resourcetype/></prop></propfind>
            """.utf8)
        let answer = try await session.perform(request)
        guard answer.status == 207 else {
            throw TransferError(.answer, ["detail": "\(answer.status)"], at: Place(file: shown))
        }
        var listing = RemoteListing()
        do {
            let answers = XMLAnswers("response", namespace: "DAV:", DAVPath.all)
            for entry in try answers.read(answer.bytes) { add(entry, to: &listing) }
        } catch {
            throw TransferError(
                .answer, ["detail": "XML"], at: Place(file: shown), retry: .after(.seconds(300)))
        }
        listing.files.sort { $0.name < $1.name }
        return listing
    }

    private func add(_ entry: XMLAnswers.Entry, to listing: inout RemoteListing) {
        // Some write the path alone, some the whole address.
        let path = URLComponents(string: entry[DAVPath.href] ?? "")?.path ?? ""
        guard entry[DAVPath.folder] == nil, path != address.folder,
            let last = path.split(separator: "/", omittingEmptySubsequences: false).last
        else { return }
        guard let name = FileNames.name(Array(last.utf8)), !name.isEmpty else {
            let place = Place(file: shown + FileNames.shown(Array(last.utf8)))
            return listing.problems.append(FileError(.name, at: place).diagnostic)
        }
        guard names.isMeant(name) else { return }
        listing.files.append(
            RemoteFile(
                name: name, size: entry[DAVPath.length].flatMap { Int($0) },
                stamp: entry[DAVPath.tag] ?? entry[DAVPath.changed] ?? ""))
    }

    func fetch(
        _ file: RemoteFile, into folder: String, as name: String, limit: Int
    ) async throws(TransferError) {
        var request = request(address.url(of: file.name))
        request.sink = .file(folder: folder, name: name, limit: limit)
        try await session.fetch(request, file, at: shown)
    }

    func store(_ path: String, as name: String) async throws(TransferError) {
        let unfinished = ".\(UUID().uuidString).part"
        var request = request(address.url(of: unfinished))
        request.upload = .file(path)
        _ = try await session.perform(request)
        try await rename(unfinished, to: name, replacing: true)
    }

    func move(_ file: RemoteFile, to folder: String) async throws(TransferError) {
        do {
            _ = try await session.perform(request(address.url(of: folder + "/"), "MKCOL"))
        } catch  where error.diagnostic.facts["detail"] == "405" {
            // It is there already.
        }
        do {
            try await rename(file.name, to: "\(folder)/\(file.name)")
        } catch  where error.diagnostic.facts["detail"] == "412" {
            // Files of one name arrive every day; none takes the place of another.
            try await rename(file.name, to: "\(folder)/\(UUID().uuidString.prefix(8))-\(file.name)")
        }
    }

    private func rename(
        _ name: String, to other: String, replacing: Bool = false
    ) async throws(TransferError) {
        var request = request(address.url(of: name), "MOVE")
        request.headers = ["Destination: \(address.url(of: other))", "Overwrite: \(replacing ? "T" : "F")"]
        _ = try await session.perform(request)
    }

    func delete(_ file: RemoteFile) async throws(TransferError) {
        _ = try await session.perform(request(address.url(of: file.name), "DELETE"))
    }
}

/// What is asked of each entry of a folder.
private enum DAVPath {
    static let href = ["href"]
    static let length = ["propstat", "prop", "getcontentlength"]
    static let tag = ["propstat", "prop", "getetag"]
    static let changed = ["propstat", "prop", "getlastmodified"]
    static let folder = ["propstat", "prop", "resourcetype", "collection"]
    static let all = [href, length, tag, changed, folder]
}
