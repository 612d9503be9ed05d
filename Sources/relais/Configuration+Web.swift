// SPDX-License-Identifier: Apache-2.0
// How browsers reach this node: its certificate, its public address, whoever else vouches for people.

internal import Diagnostics
internal import Foundation
internal import Server

extension Configuration {
    /// Fills what the web server is told.
    mutating func fillWeb(_ faults: inout [Diagnostic]) {
        if let text = sources[.behindTLS]?.text {
            isBehindProxy = text == "true"
            if !["true", "false"].contains(text) { faults.append(fault(.behindTLS, "true | false")) }
        }
        let chain = text(.tlsCertificate, with: .tlsKey, &faults)
        let key = text(.tlsKey, with: .tlsCertificate, &faults)
        if let chain, let key { certificate = Certificate.Files(chain: chain, key: key) }
        if let text = sources[.publicURL]?.text {
            publicURL = WebOrigin(text)
            if publicURL == nil { faults.append(fault(.publicURL, "https://relais.exemple.fr")) }
        }
        fillOpenID(&faults)
    }

    private mutating func fillOpenID(_ faults: inout [Diagnostic]) {
        for key in [Key.oidcClient, .oidcSecret, .oidcLabel] { _ = text(key, with: .oidcIssuer, &faults) }
        guard let issuer = text(.oidcIssuer, with: .oidcClient, &faults),
            text(.oidcIssuer, with: .publicURL, &faults) != nil,
            let client = sources[.oidcClient]?.text, let publicURL
        else { return }
        guard OpenIDSettings.isTrusted(issuer) else {
            return faults.append(fault(.oidcIssuer, "https://connexion.exemple.fr"))
        }
        // A code that comes back over plain HTTP is everybody's on the way.
        guard OpenIDSettings.isTrusted(publicURL.text) else {
            return faults.append(fault(.publicURL, "https://relais.exemple.fr"))
        }
        openID = OpenIDSettings(
            issuer: issuer, client: client, secret: sources[.oidcSecret]?.text,
            label: sources[.oidcLabel]?.text, publicURL: publicURL)
    }

    /// The text of a setting that means nothing without another; nil where one of them is missing.
    private func text(_ key: Key, with other: Key, _ faults: inout [Diagnostic]) -> String? {
        guard let said = sources[key] else { return nil }
        guard sources[other] != nil else {
            faults.append(
                Diagnostic(
                    code: "CONFIG-NEEDS", facts: ["key": key.rawValue, "other": other.rawValue],
                    place: said.place))
            return nil
        }
        return said.text
    }
}
