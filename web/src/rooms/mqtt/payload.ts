/** What a refused message held, as text that can do nothing: controls and broken bytes are made visible. */
export interface Preview {
  text: string;
  binary: boolean;
  cut: boolean;
}

export function preview(base64: string, size: number): Preview {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return { text: base64, binary: true, cut: false };
  }
  const decoded = new TextDecoder().decode(bytes);
  const broken = (decoded.match(/\ufffd/g) ?? []).length;
  const binary = broken > Math.max(2, bytes.length / 20);
  const text = binary
    ? [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")
    :  
      decoded.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
  return { text, binary, cut: size > bytes.length };
}
