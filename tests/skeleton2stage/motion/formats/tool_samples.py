"""One known motion in the layouts of video trackers, data sets and exporters, as their own programs write them."""

import collections
import pickle

import joblib
import numpy as np
import torch
from motion_samples import Y_UP, dancing_motion, turned
from scipy.spatial.transform import Rotation

N_FRAMES = 60
# By hand: z-up (x, y, z) as a level camera sees it, x right, y down, z forwards: (x, -z, y), from 8 m away.
AS_SEEN = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
AWAY_M = np.array([0.3, 0.2, 8.0])
F32 = np.float32


def dance():
    """The known motion: z up, hands straight, as all that have no hands must have them."""
    return dancing_motion(N_FRAMES)


def in_axes(axes):
    poses, translation = turned(dance(), axes)
    return poses.reshape(-1, 24, 3), translation.astype(np.float64)


def matrices(poses):
    return Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(*poses.shape[:-1], 3, 3)


def rot6d(poses):
    return matrices(poses)[..., :2, :].reshape(len(poses), -1)


def tensors(content):
    if isinstance(content, dict):
        return {key: tensors(value) for key, value in content.items()}
    return torch.tensor(content, dtype=torch.float32)


def in_parts(axes):
    poses, translation = in_axes(axes)
    return {"global_orient": poses[:, 0], "body_pose": poses[:, 1:22].reshape(-1, 63), "transl": translation,
            "betas": np.full((N_FRAMES, 10), 0.5)}


def wham_person(frames=slice(None)):
    world, seen = in_axes(Y_UP), in_axes(AS_SEEN)
    person = {"pose": seen[0].reshape(-1, 72), "trans": seen[1] + AWAY_M, "pose_world": world[0].reshape(-1, 72),
              "trans_world": world[1], "betas": np.full((N_FRAMES, 10), 0.5), "verts": np.zeros((N_FRAMES, 10, 3)),
              "frame_ids": np.arange(N_FRAMES)}
    return {key: value[frames].astype(np.int64 if key == "frame_ids" else F32) for key, value in person.items()}


def write_wham(path, *people):
    content = collections.defaultdict(dict)
    content |= dict(enumerate(people or [wham_person()]))
    joblib.dump(content, path)


def write_gvhmr(path):
    parts = in_parts(Y_UP)
    seen = in_parts(AS_SEEN)
    torch.save(tensors({"smpl_params_global": parts, "smpl_params_incam": seen, "K_fullimg": np.eye(3)}), path)


def write_gvhmr_pickle(path):
    path.write_bytes(pickle.dumps({"smpl_params_global": in_parts(Y_UP), "smpl_params_incam": in_parts(AS_SEEN)}))


def write_gvhmr_in_camera(path):
    torch.save(tensors({"smpl_params_incam": in_parts(AS_SEEN)}), path)


def write_genmo(path):
    batched = {key: value[None] for key, value in in_parts(Y_UP).items()}
    torch.save(tensors({"body_params_global": batched}), path)


def write_phalp(path, seen_by=lambda person, frame: True):
    """4D-Humans' tracks of two people, the second 2 m to the side, in the frames in which each is seen."""
    poses, translation = in_axes(AS_SEEN)
    content = {}
    for frame, rotmat in enumerate(matrices(poses).astype(F32)):
        entry = {"time": frame, "shot": 0, "tid": [], "tracked_ids": [], "tracked_time": [], "smpl": [], "camera": [],
                 "bbox": [], "mask": []}
        for person, shift in ((2, 0.0), (7, 2.0)):
            seen = seen_by(person, frame)
            entry["tid"].append(person)
            entry["tracked_time"].append(0 if seen else 3)
            body = {"global_orient": rotmat[:1], "body_pose": rotmat[1:], "betas": np.full(10, 0.5, F32)}
            entry["smpl"].append(body if seen else body | {"global_orient": np.eye(3, dtype=F32)[None]})
            entry["camera"].append((translation[frame] + AWAY_M + [shift, 0, 0]).astype(F32))
        content[f"outputs/_DEMO/img/{frame:06d}.jpg"] = entry
    joblib.dump(content, path)


def tram_content(axes=AS_SEEN, away=AWAY_M):
    poses, translation = in_axes(axes)
    return {"pred_cam": torch.zeros(N_FRAMES, 3), "pred_rotmat": torch.tensor(matrices(poses)).float(),
            "pred_shape": torch.full((N_FRAMES, 10), 0.5), "frame": torch.arange(N_FRAMES),
            "pred_trans": torch.tensor(translation + away).float()[:, None]}


def write_tram(path):
    np.save(path, tram_content(), allow_pickle=True)


def write_prompthmr(path):
    person = {}
    for key, axes in (("smplx_world", Y_UP), ("smplx_cam", AS_SEEN)):
        poses, translation = in_axes(axes)
        pose = np.concatenate([poses[:, :22].reshape(N_FRAMES, 66), np.zeros((N_FRAMES, 99))], axis=1)
        person[key] = {"pose": pose, "shape": np.full((N_FRAMES, 10), 0.5), "trans": translation}
    joblib.dump({"people": {3: person | {"frames": np.arange(N_FRAMES), "track_id": 3}}, "camera": {}}, path)


def write_slahmr(path):
    poses, translation = in_axes(AS_SEEN)
    twice = {"root_orient": poses[:, 0], "pose_body": poses[:, 1:22].reshape(N_FRAMES, 63), "trans": translation}
    twice = {key: np.stack([value, value]) for key, value in twice.items()}
    np.savez(path, **twice, betas=np.full((2, 16), 0.5), floor_plane=np.zeros((1, 3)))


def write_phc(path):
    motion = dance()
    clip = {"pose_aa": motion.poses.reshape(-1, 72), "root_trans_offset": torch.tensor(motion.translation),
            "trans_orig": motion.translation, "pose_quat_global": np.zeros((N_FRAMES, 24, 4)), "beta": np.full(16, 0.5),
            "gender": "neutral", "fps": 30}
    joblib.dump({"0-KIT_3_walk_poses": clip, "0-CMU_60_60_01_poses": clip}, path, compress=True)


def amass(path, width=156, axes=None, **more):
    poses, translation = (dance().poses, dance().translation) if axes is None else in_axes(axes)
    full = np.zeros((N_FRAMES, width))
    full[:, :66] = poses[:, :22].reshape(-1, 66)
    fields = {"poses": full, "trans": translation, "betas": np.full(16, 0.5), "gender": np.array("neutral"),
              "dmpls": np.zeros((N_FRAMES, 8)), "mocap_framerate": 30.0}
    np.savez(path, **{key: value for key, value in (fields | more).items() if value is not None})


def write_parts(path):
    poses = dance().poses
    np.savez(path, root_orient=poses[:, 0], pose_body=poses[:, 1:22].reshape(-1, 63), trans=dance().translation,
             pose_hand=np.zeros((N_FRAMES, 90)), mocap_frame_rate=30, gender="female", betas=np.full(16, 0.5))


def write_objects(path):
    amass(path, gender=np.array([b"male"], dtype=object), mocap_framerate=np.array(30.0, dtype=object))


def write_smpl72(path):
    motion = dance()
    np.savez(path, poses=motion.poses.reshape(-1, 72), trans=motion.translation, betas=np.full(10, 0.5),
             gender="neutral", mocap_framerate=30.0)


def write_matrices(path):
    np.savez(path, poses=matrices(dance().poses), trans=dance().translation, fps=np.array([30]), betas=np.full(10, 0.5))


def write_thetas(path):
    poses, translation = in_axes(Y_UP)
    content = {"thetas": poses.reshape(-1, 72), "transl": translation, "frame_rate": 30, "shape": np.full(10, 0.5)}
    path.write_bytes(pickle.dumps(content))


def write_npy_of_dictionary(path):
    np.save(path, in_parts(Y_UP) | {"fps": 30}, allow_pickle=True)


def write_interhuman(path):
    poses = dance().poses
    person = {"trans": dance().translation, "root_orient": poses[:, 0], "pose_body": poses[:, 1:22].reshape(-1, 63),
              "betas": np.full(10, 0.5), "gender": "male"}
    path.write_bytes(pickle.dumps({"mocap_framerate": 30, "person1": person, "person2": person | {"gender": "female"}}))


def write_3dpw(path):
    poses, translation = in_axes(AS_SEEN)
    content = {"poses": [poses.reshape(-1, 72)] * 2, "trans": [translation] * 2, "betas": [np.full(10, 0.5)] * 2,
               "genders": ["m", "f"], "cam_poses": np.zeros((N_FRAMES, 4, 4)), "poses_60Hz": []}
    path.write_bytes(pickle.dumps(content))


def write_emdb(path):
    poses, translation = in_axes(AS_SEEN)
    smpl = {"poses_root": poses[:, 0], "poses_body": poses[:, 1:].reshape(-1, 69), "trans": translation,
            "betas": np.full(10, 0.5)}
    path.write_bytes(pickle.dumps({"gender": "female", "smpl": smpl, "good_frames_mask": np.ones(N_FRAMES, bool)}))


def write_gdance(path):
    poses, translation = in_axes(Y_UP)
    content = {"smpl_poses": np.stack([poses.reshape(-1, 72)] * 3), "root_trans": np.stack([translation] * 3),
               "smpl_betas": np.full((3, 10), 0.5)}
    path.write_bytes(pickle.dumps(content))


def write_lodge(path, width=66):
    poses, translation = in_axes(Y_UP)
    full = np.zeros((N_FRAMES, width))
    full[:, :66] = poses[:, :22].reshape(-1, 66)
    content = {"smpl_poses": full, "smpl_trans": translation, "full_pose": np.zeros((N_FRAMES, 22, 3))}
    path.write_bytes(pickle.dumps(content))


def write_meshcapade(path):
    """The .smpl files of Meshcapade's tools, which are npz."""
    poses, translation = in_axes(Y_UP)
    with path.open("wb") as file:
        np.savez(file, bodyPose=poses[:, :22], bodyTranslation=translation, shapeParameters=np.full(10, 0.5), gender=2,
                 frameRate=30.0, frameCount=N_FRAMES, smplVersion=1, codecVersion=1)


def write_list(path):
    motion = dance()
    person = {"poses": motion.poses.reshape(-1, 72), "trans": motion.translation, "fps": 30, "betas": np.full(10, 0.5)}
    np.save(path, np.array([person, person], dtype=object), allow_pickle=True)


def write_motionx(path):
    poses, translation = in_axes(Y_UP)
    rows = [poses[:, :22].reshape(-1, 66), np.zeros((N_FRAMES, 243)), translation, np.full((N_FRAMES, 10), 0.5)]
    np.save(path, np.concatenate(rows, axis=1).astype(F32))


def write_rot6d(path, joints=52, contacts=False):
    poses, translation = in_axes(Y_UP)
    body = np.zeros((N_FRAMES, joints, 3))
    body[:, :22] = poses[:, :22]
    rows = [np.ones((N_FRAMES, 4))] if contacts else []
    np.save(path, np.concatenate([*rows, translation, rot6d(body)], axis=1).astype(F32))


def write_mdm_smpl(path):
    poses, translation = in_axes(Y_UP)
    thetas = rot6d(poses).reshape(N_FRAMES, 24, 6).transpose(1, 2, 0)
    content = {"thetas": thetas, "root_translation": translation.T, "text": "", "length": N_FRAMES}
    np.save(path, content, allow_pickle=True)


def joints_y_up():
    return dance().joints() @ Y_UP.T


def write_mdm(path):
    joints = joints_y_up()[:, :22].transpose(1, 2, 0)
    content = {"motion": np.stack([joints, joints]), "text": ["", ""], "lengths": np.array([N_FRAMES, 40]),
               "num_samples": 2, "num_repetitions": 1}
    np.save(path, content, allow_pickle=True)


def features_of(joints):
    """HumanML3D's features [T, 263] of joints [T, 22, 3], y up, that face along z in the first frame.

    Written from the paper's definition, the other way round from the reader: a heading of one's own choosing a frame.
    """
    n_frames = len(joints)
    heading = 0.3 * np.sin(np.arange(n_frames) / 9)
    to_own = Rotation.from_euler("y", -heading[:, None]).as_matrix()
    features = np.zeros((n_frames, 263))
    features[:-1, 0] = -np.diff(heading) / 2
    step = np.diff(joints[:, 0], axis=0)
    features[:-1, 1:3] = np.einsum("tij,tj->ti", to_own[1:], step)[:, [0, 2]]
    features[:, 3] = joints[:, 0, 1]
    relative = joints[:, 1:] - joints[:, :1] * [1, 0, 1]
    features[:, 4:67] = np.einsum("tij,tkj->tki", to_own, relative).reshape(n_frames, -1)
    features[::2, -4:] = 1.0
    return features


# By name: the writer, the file's name, the format it is recognised as, how many motions, and the gender of the first.
TOOLS = {
    "wham": (write_wham, "wham_output.pkl", "wham", 1, "neutral"),
    "gvhmr": (write_gvhmr, "hmr4d_results.pt", "gvhmr", 1, "neutral"),
    "gvhmr_pickle": (write_gvhmr_pickle, "hmr4d.pkl", "gvhmr", 1, "neutral"),
    "gvhmr_in_camera": (write_gvhmr_in_camera, "incam.pt", "gvhmr", 1, "neutral"),
    "genmo": (write_genmo, "genmo.pt", "gvhmr", 1, "neutral"),
    "phalp": (write_phalp, "demo_video.pkl", "phalp", 2, "neutral"),
    "tram": (write_tram, "hps_track_0.npy", "tram", 1, "neutral"),
    "prompthmr": (write_prompthmr, "results.pkl", "prompthmr", 1, "neutral"),
    "slahmr": (write_slahmr, "clip_world_results.npz", "slahmr", 2, "neutral"),
    "phc": (write_phc, "amass_train.pkl", "phc", 2, "neutral"),
    "amass": (amass, "a_poses.npz", "amass", 1, "neutral"),
    "amass_parts": (write_parts, "b_stageii.npz", "amass", 1, "female"),
    "amass_objects": (write_objects, "c_poses.npz", "amass", 1, "male"),
    "amass_text": (lambda path: amass(path, mocap_framerate=np.array("30")), "d_poses.npz", "amass", 1, "neutral"),
    "amass_y_up": (lambda path: amass(path, axes=Y_UP), "e_poses.npz", "amass", 1, "neutral"),
    "smpl72": (write_smpl72, "f.npz", "smpl", 1, "neutral"),
    "matrices": (write_matrices, "g.npz", "smpl", 1, "neutral"),
    "thetas": (write_thetas, "h.pickle", "smpl", 1, "neutral"),
    "npy_of_dictionary": (write_npy_of_dictionary, "i.npy", "smpl", 1, "neutral"),
    "interhuman": (write_interhuman, "1.pkl", "smpl", 2, "male"),
    "3dpw": (write_3dpw, "downtown.pkl", "3dpw", 2, "male"),
    "emdb": (write_emdb, "P0_data.pkl", "emdb", 1, "female"),
    "gdance": (write_gdance, "group.pkl", "gdance", 3, "neutral"),
    "motionx": (write_motionx, "clip.npy", "motionx", 1, "neutral"),
    "finedance": (write_rot6d, "001.npy", "finedance", 1, None),
    "lodge_pickle": (write_lodge, "003.pkl", "lodge", 1, None),
    "finedance_pickle": (lambda path: write_lodge(path, 156), "004.pkl", "lodge", 1, None),
    "meshcapade": (write_meshcapade, "take.smpl", "smpl", 1, "female"),
    "list_of_people": (write_list, "people.npy", "smpl", 2, "neutral"),
    "lodge": (lambda path: write_rot6d(path, 22, contacts=True), "002.npy", "finedance", 1, None),
}
