// SPDX-License-Identifier: Apache-2.0
// A bucket of an S3 store, or the part of it under a prefix.

internal import Diagnostics
internal import Foundation

/// `s3://KEY@HOST/BUCKET/PREFIX/`: objects right under the prefix are its files, others are none of its business.
///
/// - Source: Amazon S3 API reference, 2006-03-01; requests are signed with version 4.
struct BucketFolder: RemoteFolder {
    let address: RemoteAddress
    let session: CurlSession
    let names: FileNames
    let signature: BucketSignature

    private static let namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

    var shown: String { address.shown }
    var isWritable: Bool { true }

    /// The bucket's path, and what the keys of its files begin with.
    private var parts: (bucket: String, prefix: String) {
        let folder = address.folder.dropFirst()
        let bucket = folder.prefix { $0 != "/" }
        return ("/\(bucket)", String(folder.dropFirst(bucket.count + 1)))
    }

    /// A signed request.
    private func request(
        _ method: String, _ url: String, _ headers: [String: String] = [:]
    ) -> CurlRequest {
        var request = CurlRequest(url: url, scheme: address.scheme.protocolName)
        // Those of reading and writing libcurl chooses itself.
        if method == "DELETE" || !headers.isEmpty { request.method = method }
        request.headers = signature.headers(method, url, headers, at: Date())
        return request
    }

    // MARK: - Listing

    func list() async throws(TransferError) -> RemoteListing {
        var listing = RemoteListing()
        var token: String?
        repeat {
            let bytes = try await session.perform(request("GET", page(token))).bytes
            do {
                let paths = [["Key"], ["Size"], ["ETag"], ["LastModified"]]
                let objects = try XMLAnswers("Contents", namespace: Self.namespace, paths).read(bytes)
                for object in objects { add(object, to: &listing) }
                let ends = XMLAnswers(
                    "ListBucketResult", namespace: Self.namespace, [["NextContinuationToken"]])
                token = try ends.read(bytes).first?[["NextContinuationToken"]]
            } catch {
                throw TransferError(
                    .answer, ["detail": "XML"], at: Place(file: shown), retry: .after(.seconds(300)))
            }
        } while token != nil && listing.files.count < Self.most
        listing.files.sort { $0.name < $1.name }
        return listing
    }

    /// Files that are looked at at once; the rest comes when these are gone.
    private static let most = 100_000

    /// The address of a page; its parameters stand in the order in which they are signed.
    private func page(_ token: String?) -> String {
        func escaped(_ text: String) -> String {
            let plain = CharacterSet(
                charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
            return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
        }
        let next = token.map { "continuation-token=\(escaped($0))&" } ?? ""
        return address.url(ofPath: parts.bucket)
            + "?\(next)delimiter=%2F&list-type=2&prefix=\(escaped(parts.prefix))"
    }

    private func add(_ object: XMLAnswers.Entry, to listing: inout RemoteListing) {
        let key = object[["Key"]] ?? ""
        let rest = key.dropFirst(parts.prefix.count)
        // A key like the prefix is the folder that some programs make.
        guard key.hasPrefix(parts.prefix), !rest.isEmpty, !rest.hasSuffix("/") else { return }
        guard let name = FileNames.name(Array(rest.utf8)) else {
            let place = Place(file: shown + FileNames.shown(Array(rest.utf8)))
            return listing.problems.append(FileError(.name, at: place).diagnostic)
        }
        guard names.isMeant(name) else { return }
        listing.files.append(
            RemoteFile(
                name: name, size: object[["Size"]].flatMap { Int($0) },
                stamp: object[["ETag"]] ?? object[["LastModified"]] ?? ""))
    }

    // MARK: - Objects

    func fetch(
        _ file: RemoteFile, into folder: String, as name: String, limit: Int
    ) async throws(TransferError) {
        var request = request("GET", address.url(of: file.name))
        request.sink = .file(folder: folder, name: name, limit: limit)
        try await session.fetch(request, file, at: shown)
    }

    /// An object appears when all of it has come.
    func store(_ path: String, as name: String) async throws(TransferError) {
        var request = request("PUT", address.url(of: name))
        request.upload = .file(path)
        _ = try await session.perform(request)
    }

    func move(_ file: RemoteFile, to folder: String) async throws(TransferError) {
        // Files of one name arrive every day; none takes the place of another.
        let target = "\(folder)/\(UUID().uuidString.prefix(8))-\(file.name)"
        let source = String(address.url(of: file.name).drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" })
        var request = request("PUT", address.url(of: target), ["x-amz-copy-source": source])
        request.body = []
        let answer = try await session.perform(request).bytes
        // A store may say 200 first and find an error afterwards, which then is all of its answer.
        let copied = try? XMLAnswers("CopyObjectResult", namespace: Self.namespace, []).read(answer)
        guard copied?.isEmpty == false else {
            throw TransferError(
                .answer, ["detail": "CopyObject"], at: Place(file: shown + file.name),
                retry: .after(.seconds(300)))
        }
        try await delete(file)
    }

    func delete(_ file: RemoteFile) async throws(TransferError) {
        _ = try await session.perform(request("DELETE", address.url(of: file.name)))
    }
}
