// SPDX-License-Identifier: Apache-2.0
// An S3 store (moto) that checks signatures, with one bucket.

internal import Foundation

/// A store with the bucket `erp`.
package struct BucketServer: Sendable {
    private let peer: Peer
    /// Who may use it.
    package let keyID: String
    /// What proves it.
    package let secret: String

    /// Starts the store; `make bootstrap` puts moto into the virtual environment.
    package init() async throws {
        let program = """
            import json, os, sys, threading, time
            port, folder = sys.argv[1], sys.argv[2]
            # What makes the bucket and the user comes before anything is checked.
            os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"
            import boto3
            from moto.server import ThreadedMotoServer
            ThreadedMotoServer(ip_address="127.0.0.1", port=int(port), verbose=False).start()
            def client(name):
                return boto3.client(name, endpoint_url="http://127.0.0.1:" + port, region_name="eu-west-3",
                                    aws_access_key_id="x", aws_secret_access_key="y")
            client("s3").create_bucket(Bucket="erp", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
            iam = client("iam")
            iam.create_user(UserName="relais")
            policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
            iam.put_user_policy(UserName="relais", PolicyName="all", PolicyDocument=json.dumps(policy))
            key = iam.create_access_key(UserName="relais")["AccessKey"]
            with open(folder + "/key.part", "w") as f:
                f.write(key["AccessKeyId"] + " " + key["SecretAccessKey"])
            os.rename(folder + "/key.part", folder + "/key")
            while True: time.sleep(60)
            """
        let python = Repository.root.appending(path: ".venv/bin/python").path
        let peer = try await Peer(python) { port, folder in ["-c", program, String(port), folder.path] }
        let file = peer.folder.appending(path: "key")
        try await until { FileManager.default.fileExists(atPath: file.path) }
        let parts = try String(contentsOf: file, encoding: .utf8).split(separator: " ").map(String.init)
        (keyID, secret) = (parts[0], parts[1])
        self.peer = peer
    }

    /// The bucket's address, or that of a part of it.
    package func address(_ prefix: String = "") -> String {
        "s3+http://\(keyID)@127.0.0.1:\(peer.port)/erp/\(prefix)"
    }
}
